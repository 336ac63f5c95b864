/** What this process runs: organisations compare it before they trust each other's endorsements. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parameterSet } from '@strokeshare/fhe';
import { type Context, Contract, Info } from 'fabric-contract-api';
import { type BuildInfo } from './api/records.js';
import { consortium } from './api/transactions.js';
import { chosenContracts } from './chosen.js';
import { codeDigest } from './codeDigest.js';
import { Serves } from './ledger/serves.js';
import { run } from './ledger/transaction.js';

const definition = consortium.BuildInfoContract.Get;

@Info({ title: 'BuildInfoContract', description: 'Code digest and versions of this process.' })
export class BuildInfoContract extends Contract {
  /** Of what was loaded: files that are replaced while the process runs change nothing. */
  readonly #info = buildInfo();

  constructor() {
    super('BuildInfoContract');
  }

  @Serves(definition)
  Get(context: Context, request: string): Promise<string> {
    return run(context, definition, request, () => Promise.resolve(this.#info));
  }
}

function buildInfo(): BuildInfo {
  const fhe = dirname(require.resolve('@strokeshare/fhe'));
  const versionOf = (folder: string): string =>
    (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
  return {
    contracts: chosenContracts(),
    version: versionOf(join(__dirname, '..')),
    codeDigest: codeDigest([__dirname, fhe]),
    nodeSeal: versionOf(dependencyFolder('node-seal', fhe)),
    node: process.version,
    parameterSets: Object.fromEntries(
      (['additive', 'standard', 'deep'] as const).map((name) => [name, parameterSet(name).id]),
    ),
  };
}

/** Where a package that a folder's code imports lies; resolved by hand, since ES-only packages do not let `require` do it. */
function dependencyFolder(name: string, from: string): string {
  const folder = join(from, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(from);
  if (parent === from) throw new Error(`The package ${name} is not installed.`);
  return dependencyFolder(name, parent);
}
