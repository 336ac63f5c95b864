import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { ResolvedConfig } from '../config/index.js';
import { readJson } from '../daemon/files.js';
import { NetworkError } from '../errors.js';
import { AdministratorCli, administratorSchema } from './administrator.js';
import { findFabric } from './binaries.js';
import { FabricCli } from './cli.js';
import { nativePaths, planSchema } from './plan.js';

/** The organisations of a native network on this machine, for their administrators' own steps. */
export async function openNetwork(config: ResolvedConfig): Promise<FabricCli> {
  const plan = readJson(nativePaths(config).plan, planSchema);
  if (config.backend !== 'native' || !plan)
    throw new NetworkError('UNSUPPORTED', `The network in ${config.dir} does not run on Fabric's own nodes.`);
  const cli = new FabricCli(config, plan, await findFabric());
  await cli.chooseOrderer();
  return cli;
}

/**
 * An administrator as a YAML file describes it (`mspId`, `mspDir`, `peer` and `orderer` with `address` and `tlsCa`, `tlsClient` with `certificate` and `key` where
 * peers ask for one),
 * on whatever machine; paths are relative to the file.
 * @throws NetworkError CONFIG_INVALID when the file is not such a description
 */
export async function openAdministrator(file: string): Promise<AdministratorCli> {
  const folder = dirname(resolve(file));
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new NetworkError('CONFIG_INVALID', `The file ${file} cannot be read as YAML.`, { cause });
  }
  const parsed = administratorSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new NetworkError(
      'CONFIG_INVALID',
      `${file} does not describe an administrator: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
    );
  }
  const { mspId, mspDir, peer, tlsClient, orderer } = parsed.data;
  const server = (given: { address: string; tlsCa: string }) => ({
    address: given.address,
    tlsCa: resolve(folder, given.tlsCa),
  });
  const administrator = {
    mspId,
    mspDir: resolve(folder, mspDir),
    ...(peer && { peer: server(peer) }),
    ...(tlsClient && {
      tlsClient: { certificate: resolve(folder, tlsClient.certificate), key: resolve(folder, tlsClient.key) },
    }),
    orderer: server(orderer),
  };
  const { programs } = await findFabric();
  return new AdministratorCli(programs, administrator, join(folder, `administration-${mspId}`));
}
