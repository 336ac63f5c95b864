export { AGENT_USER, HOSPITALS, RESEARCH, type DemoBackend } from './consortium.js';
export { demoDown, removeDemo } from './down.js';
export { ATTRIBUTION, dealTrial, type DealtRecords } from './records.js';
export { type DemoReport, type ReportJob, type ReportRow } from './report.js';
export { runDemo, type DemoOptions } from './run.js';
export { agentFolder, deployContracts, startNetwork } from './setup.js';
export { demoPaths, findDemo, takeFolder, type DemoPaths } from './state.js';
