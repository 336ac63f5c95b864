import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { packProject } from './chaincodePackage.js';

async function entries(archive: Uint8Array): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const stream = Readable.from([gunzipSync(archive)]).pipe(extract());
  for await (const entry of stream) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(Buffer.from(chunk as Uint8Array));
    found.set(entry.header.name, Buffer.concat(chunks));
  }
  return found;
}

describe('packProject', () => {
  const dir = mkdtempSync(join(tmpdir(), 'package-'));
  const project = join(dir, 'one');
  beforeAll(() => {
    mkdirSync(join(project, 'lib'), { recursive: true });
    mkdirSync(join(project, 'node_modules', 'x'), { recursive: true });
    writeFileSync(join(project, 'package.json'), '{"main":"lib/index.js"}');
    writeFileSync(join(project, 'lib', 'index.js'), 'exports.contracts = [];');
    writeFileSync(join(project, 'node_modules', 'x', 'index.js'), '');
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('has the layout of a Fabric package and an id made of its label and hash', async () => {
    const { packageId, bytes } = await packProject('basic_1.0', project);
    expect(packageId).toBe(`basic_1.0:${createHash('sha256').update(bytes).digest('hex')}`);
    const outer = await entries(bytes);
    expect([...outer.keys()]).toStrictEqual(['metadata.json', 'code.tar.gz']);
    expect(JSON.parse(outer.get('metadata.json')!.toString())).toStrictEqual({
      path: '.',
      type: 'node',
      label: 'basic_1.0',
    });
    expect([...(await entries(outer.get('code.tar.gz')!)).keys()]).toStrictEqual([
      'src/lib/index.js',
      'src/package.json',
    ]);
  });

  it('depends on the code and on nothing else', async () => {
    const before = await packProject('basic_1.0', project);
    const copy = join(dir, 'two');
    cpSync(project, copy, { recursive: true });
    utimesSync(join(copy, 'package.json'), 1, 1);
    expect((await packProject('basic_1.0', copy)).packageId).toBe(before.packageId);
    writeFileSync(join(copy, 'lib', 'index.js'), 'exports.contracts = [1];');
    expect((await packProject('basic_1.0', copy)).packageId).not.toBe(before.packageId);
  });
});
