import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { lastLines, readJson } from '../daemon/files.js';
import { layout } from '../daemon/layout.js';
import { NetworkError } from '../errors.js';

export type ChaincodeLanguage = 'typescript' | 'javascript';

/** What a language's compiler or the package manager makes again. */
const LEFT_OUT = new Set(['node_modules', '.git', 'dist']);

/** The language of a project that nobody named: TypeScript has a tsconfig.json. */
export function languageOf(path: string): ChaincodeLanguage {
  return existsSync(join(path, 'tsconfig.json')) ? 'typescript' : 'javascript';
}

/**
 * Builds a chaincode project in a copy below the network's directory, so that the user's folder stays as it is, and
 * returns the copy: dependencies are installed unless the project has them, TypeScript is compiled by its `build` script.
 * @throws NetworkError CHAINCODE_INVALID or CHAINCODE_BUILD_FAILED with the last lines of what npm wrote
 */
export async function buildProject(options: {
  dir: string;
  label: string;
  path: string;
  language: ChaincodeLanguage;
  onProgress: (sentence: string) => void;
}): Promise<string> {
  const { label, language, onProgress } = options;
  const source = resolve(options.path);
  if (!existsSync(join(source, 'package.json')))
    throw new NetworkError('CHAINCODE_INVALID', `${source} is no chaincode project: it has no package.json.`);
  const files = layout(options.dir);
  mkdirSync(files.chaincode, { recursive: true, mode: 0o700 });
  const copy = mkdtempSync(join(files.chaincode, `${label}-`));
  copyProject(source, copy, language);

  const log = join(files.logs, `build-${label}.log`);
  if (!existsSync(join(copy, 'node_modules'))) {
    onProgress(`Installing the dependencies of ${label}`);
    await npm(['install', '--no-audit', '--no-fund'], copy, log, label);
  }
  if (language === 'typescript') {
    const { main, scripts } = readManifest(copy);
    const failed = (reason: string): NetworkError =>
      new NetworkError('CHAINCODE_BUILD_FAILED', `Building ${label} failed: ${reason}.`);
    if (scripts.build === undefined)
      throw failed(`${source} has no "build" script in its package.json, which would compile it`);
    onProgress(`Compiling ${label}`);
    await npm(['run', 'build'], copy, log, label);
    if (main !== undefined && !canBeLoaded(join(copy, main)))
      throw failed(`"npm run build" made no ${main}, which package.json names as "main"`);
  }
  return copy;
}

function canBeLoaded(module: string): boolean {
  try {
    return createRequire(module).resolve(module) !== '';
  } catch {
    return false;
  }
}

const manifestSchema = z.object({
  main: z.string().optional(),
  scripts: z.object({ build: z.string().optional() }).default({}),
});

function readManifest(folder: string): z.infer<typeof manifestSchema> {
  const manifest = readJson(join(folder, 'package.json'), manifestSchema);
  if (manifest) return manifest;
  throw new NetworkError('CHAINCODE_INVALID', `The package.json of ${basename(folder)} cannot be read.`);
}

function copyProject(source: string, copy: string, language: ChaincodeLanguage): void {
  for (const entry of readdirSync(source)) {
    // A JavaScript project may keep its code in dist; a compiled one gets it from its build.
    if (entry === 'dist' ? language === 'typescript' : LEFT_OUT.has(entry)) continue;
    cpSync(join(source, entry), join(copy, entry), {
      recursive: true,
      filter: (path) => !['node_modules', '.git'].includes(basename(path)),
    });
  }
  const modules = join(source, 'node_modules');
  if (existsSync(modules)) symlinkSync(modules, join(copy, 'node_modules'));
}

async function npm(args: string[], cwd: string, log: string, label: string): Promise<void> {
  const output = openSync(log, 'a', 0o600);
  const offset = fstatSync(output).size;
  const child = spawn('npm', args, { cwd, stdio: ['ignore', output, output] });
  closeSync(output);
  const failed = (reason: string, cause?: unknown): NetworkError =>
    new NetworkError(
      'CHAINCODE_BUILD_FAILED',
      `Building ${label} failed: "npm ${args[0] === 'run' ? 'run build' : 'install'}" ${reason}. It wrote last:\n${lastLines(log, 15, offset).join('\n')}`,
      { cause },
    );
  let code: unknown;
  try {
    [code] = (await once(child, 'exit')) as unknown[];
  } catch (cause) {
    throw failed('could not be started', cause);
  }
  if (code !== 0) throw failed(`ended with code ${String(code)}`);
}
