/** The version of RMK that plugins name in their `rmk` range: that of this package. */
export const RMK_VERSION = '0.2.0';
