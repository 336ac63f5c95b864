export { copyZone, type Copied } from './backup.js';
export { checkBlob, FileBlobStore } from './file-blob-store.js';
export type { BlobStore, ObjectStore, OpenBlob } from './blob-store.js';
export { RemoteBlobs, type RemoteBlobsOptions } from './client/remote-blobs.js';
export { InternalClient } from './client/internal-client.js';
export { ZoneClient, type ZoneEndpoint } from './client/zone-client.js';
export { CONFIG_FILE, readConfig } from './config.js';
export { StorageError, type StorageErrorCode } from './errors.js';
export { externalConfig, ledgerProfile, type ExternalConfig, type LedgerProfile } from './external/config.js';
export { ExternalZone, type ExternalOptions } from './external/zone.js';
export { nodeFileSystem, type FileSystem } from './file-system.js';
export { GRANT_LIVE_MS, GrantCache, type GrantQuestion, type GrantSource } from './grants/grant-cache.js';
export { internalConfig, type InternalConfig } from './internal/config.js';
export { KeyRing, type KeyEncryption, type WrappedKey } from './internal/key-encryption.js';
export { logisticSums, type LogisticRequest, type LogisticSums } from './internal/logistic.js';
export {
  fieldsOfRecords,
  storedFields,
  type OriginalFields,
  type OriginalValue,
} from './internal/original-fields.js';
export type { DeletionRecord, PrivateLedger } from './internal/private-ledger.js';
export { approve, type ApprovedRequest, type StorageRequest } from './internal/requests.js';
export { InternalZone, type InternalOptions } from './internal/zone.js';
export { reportText, requireIntact, verifyZone, type ZoneReport } from './verify-zone.js';
export { type Anchor, type Finding } from './journal/verify.js';
export { ZoneLedger } from './ledger.js';
