export { MODEL_ERROR_CODES, ModelError, type ModelErrorCode, type ModelProblem } from './errors.js';
export { type Estimate, proportion } from './numerics/interval.js';
export { significant } from './numerics/significant.js';
export { exponentialVariate, type Random, seededRandom } from './numerics/random.js';

export {
  exponentialCorruption,
  exponentialRecoverability,
  exponentialRuleCorruption,
  intervalOfCorruption,
  latencyOfPercentile,
  logExponentialCorruption,
  rateOfPercentile,
  retainedOfCorruption,
} from './corruption/exponentialCorruption.js';
export {
  exponentialLatency,
  fixedLatency,
  type LatencyDistribution,
  logNormalLatency,
  mixedLatency,
  weibullLatency,
} from './corruption/latencyDistribution.js';
export { empiricalLatency } from './corruption/empiricalLatency.js';
export { cureShare } from './corruption/cureModel.js';
export { fitLatency, type FitOptions, fitRate, type LatencyFit } from './corruption/fitLatency.js';
export { goodnessOfFit, type GoodnessOfFit, type GoodnessOptions } from './corruption/goodnessOfFit.js';
export { LATENCY_FAMILIES, type LatencyFamily } from './corruption/latencyFamily.js';
export { kaplanMeier, type SurvivalStep } from './corruption/kaplanMeier.js';
export { type LatencySample } from './corruption/latencySample.js';
export { type LatencySamples, parseLatencySamples } from './corruption/latencySamples.js';
export {
  ladderOutcomes,
  type LadderOutcome,
  type LadderRung,
  type LadderSetting,
} from './corruption/ladder.js';
export { boundOfRisk, type RollbackRule, ruleCorruption, ruleRetained } from './corruption/rollbackRule.js';
export {
  sampleCorruption,
  type SampleCorruptionOptions,
  sampleRuleCorruption,
} from './corruption/sampleCorruption.js';
export { analyseSamples, type FittedFamily, type SampleAnalysis } from './corruption/sampleAnalysis.js';
export { PAPER_RATE_PER_MS, table1, type Table1Row } from './corruption/table1.js';
export { intervalOfTarget, retainedOfTarget } from './corruption/target.js';
export {
  ruleOutcome,
  simulateRule,
  simulateTimeline,
  timelineOutcome,
  type TimelineOptions,
  type TimelineOutcome,
} from './corruption/timelineSimulation.js';

export {
  type BuildOptions,
  buildChain,
  type ChainArc,
  type ChainDefinition,
  type ChainState,
  type ChainTransition,
  type MarkovChain,
} from './chain/markovChain.js';
export { type ChainFile, parseChain } from './chain/chainFile.js';
export {
  labelled,
  meanReward,
  parsePrism,
  type PrismChain,
  type PrismFiles,
  toPrism,
} from './chain/prism.js';
export { type LongRun, longRun, type RecurrentClass, reliability, statesNamed } from './chain/longRun.js';
export {
  type ChainMeasures,
  HOURS_PER_YEAR,
  meanTimeTo,
  measure,
  unavailabilityOf,
} from './chain/measures.js';
export {
  complement,
  evaluate,
  formatRate,
  parameter,
  type ParameterValues,
  product,
  type Rate,
  sum,
} from './chain/rate.js';
export { sensitivities, type Sensitivity } from './chain/sensitivity.js';
export { simulateChain } from './chain/simulation.js';
export {
  type IteratedSteadyState,
  steadyState,
  steadyStateByIteration,
  steadyStateByLu,
} from './chain/steadyState.js';
export { intervalAvailability, transient } from './chain/transient.js';
export { type TransientOptions } from './chain/uniformisation.js';

export { DISK_BASED, diskCorruption } from './availability/diskBased.js';
export { classCorruption, type ErrorClass, errorClasses, retainedOf } from './availability/errorClasses.js';
export { manyVmsExact, manyVmsLumped, type UpMeaning } from './availability/manyVms.js';
export { MICRO_CHECKPOINT } from './availability/microCheckpoint.js';
export { NO_CHECKPOINTING } from './availability/noCheckpointing.js';
export {
  latencyOf,
  NUMBER_NAMES,
  type NumberName,
  type ParameterFile,
  type Parameters,
  describeNumber,
  labelNumber,
  parametersSchema,
  requireNumberName,
  withNumber,
  parseParameterFile,
} from './availability/parameters.js';
export {
  baseOf,
  PARAMETER_SETS,
  PARAMETER_SOURCES,
  parameterSet,
  resolveParameters,
} from './availability/parameterSets.js';
export { type RecoveryTime, recoveryTime } from './availability/recovery.js';
export { REMOTE_REPLICA } from './availability/remoteReplica.js';
export {
  availabilityOf,
  chainOf,
  definitionOf,
  solveVariant,
  type VariantResult,
  valuesOf,
} from './availability/study.js';
export {
  requireVariant,
  type Setting,
  type Variant,
  VARIANT_NAMES,
  VARIANTS,
} from './availability/variant.js';
export {
  onlyVariantOf,
  parseSweep,
  runSweep,
  spread,
  type Sweep,
  type SweepResult,
} from './availability/sweep.js';
export { numbersUsedBy } from './availability/usedNumbers.js';
export { simulateSystem, systemOf, type SystemModel } from './availability/systemSimulation.js';
export { type Tornado, tornado, type TornadoBar } from './availability/tornado.js';

export { type Advice, advise, type AdviceInput, type Choice } from './advice/advise.js';
export { type MissingInput, missingInputs } from './advice/missingInput.js';
export {
  parseSlowdown,
  parseSlowdownText,
  slowdownAt,
  type SlowdownCurve,
  type SlowdownPoint,
  slowdownSchema,
} from './advice/slowdown.js';
