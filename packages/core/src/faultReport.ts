/** `Symbol.for`: the same for all copies of this package. */
const REPORT = Symbol.for('@rmk/core:faultReport');

type Report = (during: string, error: unknown) => void;

/** For the kernel: makes `object`, which stands for one that a plugin gave, take {@link reportFault}. */
export function takeFaults(object: object, report: Report): void {
  Object.defineProperty(object, REPORT, { value: report });
}

/**
 * Reports what is wrong with an object that this plugin was given, such as the plan of a checkpoint algorithm that the
 * driver rejects: a fault of the plugin that gave the object, which the kernel counts (EVT_PLUGINFAULT) and may
 * quarantine that plugin for at once. So call it where the object may be disposed of. Throws `error` if the kernel does
 * not know who gave the object: of an object of its own a plugin answers for itself.
 */
export function reportFault(of: object, during: string, error: unknown): void {
  if (!canTakeFaults(of)) throw error;
  of[REPORT](during, error);
}

function canTakeFaults(of: object): of is { readonly [REPORT]: Report } {
  return REPORT in of;
}
