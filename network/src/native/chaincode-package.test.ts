import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeServiceBuilder } from './builder.js';
import { packChaincodeService } from './chaincode-package.js';

const temporary = mkdtempSync(join(tmpdir(), 'package-'));
afterAll(() => rmSync(temporary, { recursive: true }));

describe('package of a chaincode service', () => {
  it('has the same id for the same label and address, and another for another', async () => {
    const pack = (label: string, address: string) => packChaincodeService({ label, address });
    const one = await pack('basic_1', '127.0.0.1:9999');
    expect(one.packageId).toMatch(/^basic_1:[0-9a-f]{64}$/);
    expect((await pack('basic_1', '127.0.0.1:9999')).packageId).toBe(one.packageId);
    expect((await pack('basic_1', '127.0.0.1:9998')).packageId).not.toBe(one.packageId);
    expect((await pack('basic_2', '127.0.0.1:9999')).packageId).not.toBe(one.packageId);
  });

  it('goes through the three steps of the external builder', async () => {
    const { bytes } = await packChaincodeService({ label: 'basic_1', address: '127.0.0.1:9999' });
    const folder = (name: string): string => {
      const path = join(temporary, name);
      mkdirSync(path);
      return path;
    };
    const [metadata, source, output, release] = ['metadata', 'source', 'output', 'release'].map(folder) as [
      string,
      string,
      string,
      string,
    ];
    writeFileSync(join(metadata, 'package.tar.gz'), bytes);
    execFileSync('tar', ['xzf', 'package.tar.gz'], { cwd: metadata });
    execFileSync('tar', ['xzf', join(metadata, 'code.tar.gz')], { cwd: source });

    const bin = join(writeServiceBuilder(join(temporary, 'builder')), 'bin');
    execFileSync(join(bin, 'detect'), [source, metadata]);
    execFileSync(join(bin, 'build'), [source, metadata, output]);
    execFileSync(join(bin, 'release'), [output, release]);
    const connection: unknown = JSON.parse(
      readFileSync(join(release, 'chaincode', 'server', 'connection.json'), 'utf8'),
    );
    expect(connection).toMatchObject({ address: '127.0.0.1:9999', tls_required: false });

    writeFileSync(join(metadata, 'metadata.json'), JSON.stringify({ type: 'node', label: 'ccaas' }));
    expect(spawnSync(join(bin, 'detect'), [source, metadata]).status).toBe(1);
  });
});
