export { type DemoBackend } from './consortium.js';
export { demoDown } from './down.js';
export { type DemoReport, type ReportJob, type ReportRow } from './report.js';
export { runDemo, type DemoOptions } from './run.js';
export { demoPaths, type DemoPaths } from './state.js';
