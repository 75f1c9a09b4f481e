export const EMPTY = true;
