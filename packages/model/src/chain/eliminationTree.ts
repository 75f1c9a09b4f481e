import type { Graph } from './components.js';

/**
 * The order in which fronts are worked off, which creates the same transitions as `order`: each state directly after
 * those whose elimination changes its transitions (the elimination tree of Liu, in postorder). `graph` holds each
 * transition in both directions.
 */
export function postorder(graph: Graph, order: Int32Array): Int32Array {
  const size = order.length;
  const positions = new Int32Array(size);
  for (let position = 0; position < size; position++) positions[order[position] as number] = position;

  const parent = new Int32Array(size).fill(-1);
  const ancestor = new Int32Array(size).fill(-1);
  for (let position = 0; position < size; position++) {
    const state = order[position] as number;
    for (let at = graph.starts[state] as number; at < (graph.starts[state + 1] as number); at++) {
      let below = positions[graph.targets[at] as number] as number;
      while (below < position) {
        const above = ancestor[below] as number;
        ancestor[below] = position;
        if (above === -1) {
          parent[below] = position;
          break;
        }
        below = above;
      }
    }
  }

  // From the end: each state, then what lies below it.
  const firstChild = new Int32Array(size).fill(-1);
  const sibling = new Int32Array(size).fill(-1);
  const path: number[] = [];
  for (let position = size - 1; position >= 0; position--) {
    const above = parent[position] as number;
    if (above === -1) path.push(position);
    else {
      sibling[position] = firstChild[above] as number;
      firstChild[above] = position;
    }
  }
  const sorted = new Int32Array(size);
  let at = size;
  for (let position = path.pop(); position !== undefined; position = path.pop()) {
    sorted[--at] = order[position] as number;
    for (let child = firstChild[position] as number; child !== -1; child = sibling[child] as number) {
      path.push(child);
    }
  }
  return sorted;
}
