import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { TlsPaths } from '../certificates/index.js';
import { NetworkError } from '../errors.js';

/** Reads a path of a node's operations service as one of its organisation's TLS clients. */
async function readOperations(port: number, path: string, tls: TlsPaths): Promise<string> {
  const [ca, cert, key] = [tls.ca, tls.certificate, tls.key].map((file) => readFileSync(file));
  return new Promise((resolve, reject) => {
    const options = { host: 'localhost', port, path, ca, cert, key, timeout: 5000 };
    const outgoing = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else
          reject(
            new NetworkError(
              'NODE_FAILED',
              `The operations port ${port} answered ${response.statusCode ?? '?'}.`,
            ),
          );
      });
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error(`the operations port ${port} did not answer`)));
    outgoing.once('error', reject);
    outgoing.end();
  });
}

/** Values of one gauge by channel, from the Prometheus text that a node serves. */
export async function gaugeByChannel(
  port: number,
  tls: TlsPaths,
  ...names: string[]
): Promise<Map<string, number>> {
  const text = await readOperations(port, '/metrics', tls);
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(\w+)\{[^}]*channel="([^"]+)"[^}]*\} ([0-9.e+-]+)$/.exec(line);
    if (match && names.includes(match[1] ?? '')) values.set(match[2] ?? '', Number(match[3]));
  }
  return values;
}
