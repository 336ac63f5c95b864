export { findFabric, findPrograms, type FabricBinaries, type FabricProgram } from './binaries.js';
export { packChaincodeService } from './chaincode-package.js';
export { NativeNetwork, type NativeOptions } from './native-network.js';
export type { NativePlan, OrdererNode, PeerNode } from './plan.js';
