export {
  parseQuestion,
  questionShape,
  requestsOf,
  requireComputable,
  resultRows,
  type Analysis,
  type AnalysisKind,
  type Question,
} from './analysis/index.js';
export { forecast, type Forecast } from './forecast.js';
export { jobFileSchema, parseJobFile, readJobFile, type JobFile } from './job-file.js';
export {
  initResearcher,
  openResearcher,
  type Researcher,
  type ResearcherConfig,
  type ResearcherContext,
} from './open.js';
export { cellsInTheClear } from './in-the-clear.js';
export {
  parseRegression,
  readRegression,
  regress,
  type RegressionFile,
  type ReleasedRegression,
} from './regression.js';
export type { ProvenanceDataset, ProvenanceStep, ResultProvenance } from './provenance.js';
export { openResult, type JobResult, type ReleasedCells } from './result.js';
export { pictureOf, type PictureOptions } from './picture.js';
export type { Estimand, Quantity, ResultRow } from './rows.js';
export { cancelJob, JobRefused, register, requestAccess, submitJob, waitForJob } from './submit.js';
