/** What §7 and §8.4 of the paper report, to be printed beside the project's figures. */
export const PAPER = {
  /** Figure 8: mean slowdown of the programs with COWP, and the largest of a program at 50 ms, in per cent. */
  slowdownPercent: { 50: 6.3, 200: 3.8 },
  largestSlowdownPercent: 11,
  /** Figure 9: throughput of the web server, in per cent of that without checkpoints. */
  throughputPercent: { cowb: { 50: 74.3 }, cowp: { 50: 82.5, 200: 91 } },
  /** Table 3: page faults in an interval. */
  pageFaults: { cowb: { 50: 491.1, 1000: 1057.2 }, cowp: { 50: 124.7, 1000: 521.5 } },
  /** Table 4: pages in a checkpoint. */
  pagesSaved: { cowb: { 50: 491.1, 1000: 1057.2 }, cowp: { 50: 654.5, 1000: 2162.4 } },
  faultReductionPercent: { 50: 75, 1000: 51 },
  /** Table 4 against the state of the whole system, 51 461 pages, in per cent. */
  shareOfStatePercent: { 50: 2, 1000: 4.2 },
  /** §8.4. */
  recoveryMs: { least: 144, mean: 639.4, most: 1017 },
} as const;

/** Pages of the paper's average checkpoint at 50 ms: saved at faults by COWB; at faults, and before, by COWP. */
export const PAPER_CHECKPOINT = { cowbFaults: 491, cowpFaults: 125, cowpPreSaved: 530 } as const;
