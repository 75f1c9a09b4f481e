import { faults } from '@rmk/testing';

export const { crash, failureExit, halt, hang, taskLoop } = faults;
