/** A graph as lists: `to` of the arcs of state i are `targets[starts[i]]` up to `targets[starts[i + 1] - 1]`. */
export interface Graph {
  readonly starts: Int32Array;
  readonly targets: Int32Array;
}

/** The graph of these arcs over `size` states. */
export function graphOf(
  size: number,
  arcs: readonly { readonly from: number; readonly to: number }[],
): Graph {
  const starts = new Int32Array(size + 1);
  for (const { from } of arcs) starts[from + 1] = (starts[from + 1] as number) + 1;
  for (let i = 0; i < size; i++) starts[i + 1] = (starts[i + 1] as number) + (starts[i] as number);
  const next = starts.slice();
  const targets = new Int32Array(arcs.length);
  for (const { from, to } of arcs) {
    const at = next[from] as number;
    targets[at] = to;
    next[from] = at + 1;
  }
  return { starts, targets };
}

/**
 * The number of the strongly connected component of each state, by Tarjan's algorithm without recursion. A component's
 * number is higher than those of the components that it leads to.
 */
export function components({ starts, targets }: Graph): { readonly of: Int32Array; readonly count: number } {
  const size = starts.length - 1;
  const of = new Int32Array(size).fill(-1);
  const index = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const position = starts.slice(0, size);
  const stack: number[] = [];
  const path: number[] = [];
  let visited = 0;
  let count = 0;
  for (let root = 0; root < size; root++) {
    if (index[root] !== -1) continue;
    path.push(root);
    while (path.length > 0) {
      const state = path.at(-1) as number;
      if (index[state] === -1) {
        index[state] = visited;
        low[state] = visited++;
        stack.push(state);
      }
      const at = position[state] as number;
      if (at < (starts[state + 1] as number)) {
        position[state] = at + 1;
        const target = targets[at] as number;
        if (index[target] === -1) path.push(target);
        else if (of[target] === -1) low[state] = Math.min(low[state] as number, index[target] as number);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) low[parent] = Math.min(low[parent] as number, low[state] as number);
      if (low[state] !== index[state]) continue;
      for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
        of[member] = count;
        if (member === state) break;
      }
      count++;
    }
  }
  return { of, count };
}
