/** Run states in which QEMU lets no vCPU run again before a reset; `suspended`: by the guest, to RAM. */
export const NEEDS_RESET: ReadonlySet<string> = new Set(['shutdown', 'internal-error', 'suspended']);
