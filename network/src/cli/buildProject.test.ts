import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layout } from '../daemon/layout.js';
import { buildProject } from './buildProject.js';

describe('building a chaincode', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'build-'));
  const dir = join(temporary, 'network');
  const path = join(temporary, 'project');

  const build = (scripts: Record<string, string>, source = ''): Promise<string> => {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(join(path, 'node_modules'), { recursive: true });
    writeFileSync(
      join(path, 'package.json'),
      JSON.stringify({ name: 'basic', main: 'dist/index.js', scripts }),
    );
    if (source !== '') writeFileSync(join(path, 'compile.js'), source);
    return buildProject({
      dir,
      label: 'basic_1.0',
      path,
      language: 'typescript',
      onProgress: () => undefined,
    });
  };

  beforeAll(() => mkdirSync(layout(dir).logs, { recursive: true }));
  afterAll(() => rmSync(temporary, { recursive: true }));

  it('shows what the compiler said', async () => {
    const compile = 'console.log("src/asset.ts(3,1): error TS1005: \';\' expected."); process.exit(2);';
    await expect(build({ build: 'node compile.js' }, compile)).rejects.toMatchObject({
      code: 'CHAINCODE_BUILD_FAILED',
      message: expect.stringContaining("src/asset.ts(3,1): error TS1005: ';' expected."),
    });
  });

  it('asks for the build script where there is none', async () => {
    await expect(build({})).rejects.toMatchObject({
      code: 'CHAINCODE_BUILD_FAILED',
      message: expect.stringContaining('has no "build" script'),
    });
  });

  it('refuses a folder without a project', async () => {
    const empty = mkdtempSync(join(temporary, 'empty-'));
    await expect(
      buildProject({ dir, label: 'x', path: empty, language: 'javascript', onProgress: () => undefined }),
    ).rejects.toMatchObject({
      code: 'CHAINCODE_INVALID',
      message: expect.stringContaining('it has no package.json'),
    });
  });

  it('refuses a build that made nothing', async () => {
    await expect(build({ build: 'node compile.js' }, '// Compiles nothing.')).rejects.toMatchObject({
      code: 'CHAINCODE_BUILD_FAILED',
      message: expect.stringContaining('made no dist/index.js, which package.json names as "main"'),
    });
  });
});
