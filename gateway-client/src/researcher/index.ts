export { parseJobFile, readJobFile, type JobFile } from './job-file.js';
export {
  initResearcher,
  openResearcher,
  type Researcher,
  type ResearcherConfig,
  type ResearcherContext,
} from './open.js';
export { openResult, type JobResult } from './result.js';
export { resultRows, type Quantity, type ResultRow } from './rows.js';
export { JobRefused, register, requestAccess, submitJob, waitForJob } from './submit.js';
