import { delimiter, join, resolve } from 'node:path';
import { isExecutable } from '../daemon/files.js';
import { NetworkError } from '../errors.js';

const PROGRAM = 'fabric-ca-server';

/** `fabric-ca-server` in FABRIC_BIN_DIR, or else on PATH; undefined where it is in neither. */
export function findCaServer(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = [env['FABRIC_BIN_DIR'] ?? '', ...(env['PATH'] ?? '').split(delimiter)];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => resolve(join(folder, PROGRAM)))
    .find(isExecutable);
}

/** @throws NetworkError FABRIC_MISSING saying where it is to be had */
export function requireCaServer(env?: NodeJS.ProcessEnv): string {
  const found = findCaServer(env);
  if (found === undefined)
    throw new NetworkError(
      'FABRIC_MISSING',
      `${PROGRAM} was not found on PATH or in FABRIC_BIN_DIR: Fabric CA's documentation ("Installation", or the ` +
        `releases page of hyperledger/fabric-ca) has it, and without -ca the network issues its certificates itself.`,
    );
  return found;
}
