export type { BlobStore } from './blob-store.js';
export { StorageError, type StorageErrorCode } from './errors.js';
export { FileBlobStore } from './file-blob-store.js';
export type { FileSystem } from './file-system.js';
