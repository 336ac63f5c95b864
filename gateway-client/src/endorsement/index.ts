export { mine, type EndorsementClient, type Miner, type MiningOptions } from './miner.js';
export { MiningPool, type PoolTask } from './pow/pool.js';
export { powSealer } from './pow/sealer.js';
export { search, targetBytes } from './pow/search.js';
export type { Sealer, SealProgress, SealWork } from './sealer.js';
export { verifyEndorsement, type VerifiedChain } from './verify.js';
