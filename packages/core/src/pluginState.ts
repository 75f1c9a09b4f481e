/**
 * `'pending'`: waits for others to start. `'failed'`: failed to start. `'quarantined'`: had too many faults, or failed
 * to start and will be retried. `'removed'`: only in EVT_PLUGINCHANGED, since the domain does not list it any more.
 */
export type PluginState =
  'pending' | 'starting' | 'active' | 'failed' | 'quarantined' | 'stopping' | 'removed';
