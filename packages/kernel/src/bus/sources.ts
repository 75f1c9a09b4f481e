/** Sources of events that are not plugins. No plugin can have these names. */
export const KERNEL = 'kernel';
export const HOST = 'host';
