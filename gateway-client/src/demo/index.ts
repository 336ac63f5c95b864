export { openAlliance, type Alliance } from './alliance.js';
export {
  AGENT_USER,
  HOSPITALS,
  hospitalsOf,
  RESEARCH,
  type DemoBackend,
  type OwnHospital,
} from './consortium.js';
export { demoDown, removeDemo } from './down.js';
export { ATTRIBUTION, dealTrial, type DealtRecords } from './records.js';
export { type DemoReport, type ReportJob, type ReportRow } from './report.js';
export { runDemo, type DemoOptions } from './run.js';
export { agentFolder, deployContracts, ownNetwork, startNetwork } from './setup.js';
export { demoPaths, findDemo, takeFolder, type DemoPaths } from './state.js';
