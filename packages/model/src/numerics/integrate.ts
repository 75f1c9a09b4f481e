import { ModelError } from '../errors.js';

// Nodes and weights of the Gauss-Kronrod pair (7, 15) on [-1, 1], from the outermost node to the centre.
const NODES = [
  0.9914553711208126, 0.9491079123427585, 0.8648644233597691, 0.7415311855993945, 0.5860872354676911,
  0.4058451513773972, 0.20778495500789848, 0,
];
const KRONROD = [
  0.022935322010529224, 0.06309209262997856, 0.10479001032225019, 0.14065325971552592, 0.1690047266392679,
  0.19035057806478542, 0.20443294007529889, 0.20948214108472782,
];
const GAUSS = [0, 0.1294849661688697, 0, 0.27970539148927664, 0, 0.3818300505051189, 0, 0.4179591836734694];

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly integral: number;
  /** The integral of |f|. */
  readonly magnitude: number;
  readonly error: number;
}

function estimate(f: (x: number) => number, from: number, to: number): Piece {
  const centre = (from + to) / 2;
  const half = (to - from) / 2;
  let kronrod = 0;
  let gauss = 0;
  let magnitude = 0;
  for (let i = 0; i < NODES.length; i++) {
    const offset = half * (NODES[i] as number);
    const [left, right] = offset === 0 ? [f(centre), 0] : [f(centre - offset), f(centre + offset)];
    const value = left + right;
    magnitude += (KRONROD[i] as number) * (Math.abs(left) + Math.abs(right));
    kronrod += (KRONROD[i] as number) * value;
    gauss += (GAUSS[i] as number) * value;
  }
  return {
    from,
    to,
    integral: kronrod * half,
    magnitude: magnitude * half,
    error: Math.abs(kronrod - gauss) * half,
  };
}

/**
 * The integral of `f` by adaptive Gauss-Kronrod quadrature: the piece with the largest error is halved until the sum of
 * the errors is below `tolerance` times the integral of |f|. `breaks` are points where `f` bends or where its mass
 * lies. A mass that is far narrower than the interval needs breaks around it; otherwise no node falls on it.
 *
 * Throws RMK_ERR_INPUT if 2000 pieces are not enough.
 */
export function integrate(
  f: (x: number) => number,
  from: number,
  to: number,
  { breaks = [], tolerance = 1e-12 }: { breaks?: readonly number[]; tolerance?: number } = {},
): number {
  if (from === to) return 0;
  const edges = [from, ...breaks.filter((x) => x > from && x < to).toSorted((a, b) => a - b), to];
  const pieces: Piece[] = [];
  for (let i = 1; i < edges.length; i++) {
    pieces.push(estimate(f, edges[i - 1] as number, edges[i] as number));
  }
  while (pieces.length < 2000) {
    let integral = 0;
    let magnitude = 0;
    let error = 0;
    let worst = 0;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i] as Piece;
      integral += piece.integral;
      magnitude += piece.magnitude;
      error += piece.error;
      if (piece.error > (pieces[worst] as Piece).error) worst = i;
    }
    if (error <= tolerance * magnitude) return integral;
    const { from: left, to: right } = pieces[worst] as Piece;
    const middle = (left + right) / 2;
    // Neighbouring floating-point numbers cannot be halved: what is left is rounding.
    if (middle <= left || middle >= right) return integral;
    pieces.splice(worst, 1, estimate(f, left, middle), estimate(f, middle, right));
  }
  throw new ModelError('RMK_ERR_NUMERIC', `the integral from ${from} to ${to} did not converge`);
}
