import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { NetworkError } from '../errors.js';

/** One certificate and how long it still serves. */
export interface CertificateExpiry {
  /** The common name of its subject. */
  readonly name: string;
  readonly organization: string;
  readonly authority: boolean;
  /** ISO 8601. */
  readonly notAfter: string;
  /** Whole days until then, negative once it has passed. */
  readonly daysLeft: number;
  /** Files that hold it: an authority's certificate lies in every folder of its organisation. */
  readonly files: readonly string[];
}

const ENDINGS = new Set(['.pem', '.crt', '.cert', '.cer']);
const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const DAY = 86_400_000;

/**
 * Finds the certificates in files and below folders, each once, the first to expire first. It reads no private key and
 * asks no network, so it serves any Fabric node's MSP and TLS folders.
 * @throws NetworkError CERTIFICATE_INVALID where a path is missing, a certificate unreadable, or none is found
 */
export function certificateExpiry(paths: readonly string[], now: Date): CertificateExpiry[] {
  const found = new Map<string, { certificate: X509Certificate; files: string[] }>();
  for (const file of paths.flatMap(certificateFiles))
    for (const certificate of readCertificates(file)) {
      const known = found.get(certificate.fingerprint256);
      if (known) known.files.push(file);
      else found.set(certificate.fingerprint256, { certificate, files: [file] });
    }
  if (found.size === 0)
    throw new NetworkError('CERTIFICATE_INVALID', `There is no certificate in ${paths.join(', ')}.`);
  return [...found.values()]
    .map(({ certificate, files }) => {
      const notAfter = new Date(certificate.validTo);
      return {
        name: field(certificate, 'CN'),
        organization: field(certificate, 'O'),
        authority: certificate.ca,
        notAfter: notAfter.toISOString(),
        daysLeft: Math.floor((notAfter.getTime() - now.getTime()) / DAY),
        files,
      };
    })
    .sort((a, b) => a.notAfter.localeCompare(b.notAfter) || a.name.localeCompare(b.name));
}

function certificateFiles(path: string): string[] {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (!entry) throw new NetworkError('CERTIFICATE_INVALID', `There is no file or folder ${path}.`);
  if (entry.isFile()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && ENDINGS.has(extname(file.name)))
    .map((file) => join(file.parentPath, file.name))
    .sort();
}

function readCertificates(file: string): X509Certificate[] {
  return [...readFileSync(file, 'utf8').matchAll(BLOCK)].map(([block]) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new NetworkError('CERTIFICATE_INVALID', `A certificate in ${file} cannot be read.`, { cause });
    }
  });
}

function field(certificate: X509Certificate, name: string): string {
  const line = certificate.subject.split('\n').find((text) => text.startsWith(`${name}=`));
  return line?.slice(name.length + 1) ?? '';
}
