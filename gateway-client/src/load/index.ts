export { readCheckedFile } from './checked-file.js';
export { deal } from './deal.js';
export { provenanceOf } from './provenance.js';
export { parseMapping, readMapping, type FieldMapping, type Mapping } from './mapping.js';
export { sharedSchema } from './shared-schema.js';
export {
  loadRecords,
  readRows,
  type LoadedRecord,
  type LoadedRows,
  type LoadedTable,
  type LoadOptions,
  type RejectedRow,
} from './records.js';
export {
  profileTable,
  type FieldProfile,
  type ProfileWatch,
  type Rejection,
  type TableProfile,
} from './profile.js';
export { openTable, type TableFile } from './file.js';
export { progressBar, type ProgressBar } from './progress.js';
