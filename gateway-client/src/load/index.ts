export { readCheckedFile } from './checked-file.js';
export { deal } from './deal.js';
export { provenanceOf } from './provenance.js';
export { parseMapping, readMapping, type FieldMapping, type Mapping } from './mapping.js';
export {
  loadRecords,
  readRows,
  type LoadedRecord,
  type LoadedTable,
  type LoadOptions,
  type RejectedRow,
} from './records.js';
