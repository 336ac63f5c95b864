/** SEAL's saved bytes: format, strict parser, builders. */
export { parmsId, publicKeyLength } from './sealFormat.js';
export type {
  CiphertextForm,
  ParsedCiphertext,
  ParsedPlaintext,
  ParsedPublicKey,
  ParsedRelinKeys,
} from './sealFormat.js';
export * from './sealBuild.js';
export * from './sealParse.js';
