import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate as ParsedCertificate, X509Crl } from '@peculiar/x509';
import { z } from 'zod';
import { StorageError, isAbsent } from '../errors.js';

/** Object identifier under which Fabric CA keeps a certificate's attributes. */
const ATTRIBUTES = '1.2.3.4.5.6.7.8.1';
const attributes = z.object({ attrs: z.record(z.string(), z.string()) });

/** Who presented a certificate that one of the known organisations issued and has not revoked. */
export interface Caller {
  mspId: string;
  /** In the certificate's order, `OU=client,CN=Agent1`: as contracts read it. */
  subject: string;
  /** Attribute `strokeshare.role`. */
  role?: string;
}

/** Why a certificate is not taken. */
export type CertificateFault = 'UNKNOWN_ISSUER' | 'NOT_YET_VALID' | 'EXPIRED' | 'REVOKED' | 'NO_CERTIFICATE';

interface Issuer {
  mspId: string;
  certificate: X509Certificate;
  /** Serial numbers, hexadecimal in upper case. */
  revoked: ReadonlySet<string>;
}

/**
 * The organisations whose certificates a zone takes, each from its verifying MSP as Fabric lays it out: `cacerts`,
 * `intermediatecerts`, `crls`. An identity certificate is issued by one of these directly. A revocation list is taken
 * when the authority's own key has signed it, and holds until it is replaced, as in Fabric.
 */
export class Organizations {
  #issuers: readonly Issuer[] = [];
  #state = '';

  /** @param folders - MSP folder by MSP ID. */
  private constructor(private readonly folders: Readonly<Record<string, string>>) {}

  /** @throws StorageError `CONFIG_INVALID` where a folder is not an MSP. */
  static async load(folders: Readonly<Record<string, string>>): Promise<Organizations> {
    const organizations = new Organizations(folders);
    await organizations.refresh();
    return organizations;
  }

  /** Certificates of all authorities, for the TLS handshake. */
  get authorities(): string[] {
    return this.#issuers.map(({ certificate }) => certificate.toString());
  }

  /**
   * Reads the folders again where a file was added, replaced or removed.
   *
   * @returns whether anything is different.
   */
  async refresh(): Promise<boolean> {
    const state = await this.stateOfFiles();
    if (state === this.#state) return false;
    const loaded = await Promise.all(
      Object.entries(this.folders).map(([mspId, folder]) => loadMsp(mspId, folder)),
    );
    this.#issuers = loaded.flat();
    this.#state = state;
    return true;
  }

  /** Whose certificate it is, by the clock that is given. */
  identify(certificate: X509Certificate | undefined, now: Date): Caller | CertificateFault {
    if (!certificate) return 'NO_CERTIFICATE';
    const issuer = this.#issuers.find(
      (candidate) =>
        certificate.checkIssued(candidate.certificate) && certificate.verify(candidate.certificate.publicKey),
    );
    if (!issuer) return 'UNKNOWN_ISSUER';
    if (now < new Date(certificate.validFrom)) return 'NOT_YET_VALID';
    if (now > new Date(certificate.validTo) || now > new Date(issuer.certificate.validTo)) return 'EXPIRED';
    if (issuer.revoked.has(certificate.serialNumber.toUpperCase())) return 'REVOKED';
    const role = roleOf(certificate);
    return {
      mspId: issuer.mspId,
      subject: certificate.subject.replaceAll('\n', ','),
      ...(role !== undefined && { role }),
    };
  }

  private async stateOfFiles(): Promise<string> {
    const files = (
      await Promise.all(
        Object.values(this.folders).flatMap((folder) =>
          ['cacerts', 'intermediatecerts', 'crls'].map((part) => filesIn(join(folder, part))),
        ),
      )
    ).flat();
    const states = await Promise.all(
      files.map(async (path) => {
        const { mtimeMs, size, ino } = await stat(path);
        return `${path} ${mtimeMs} ${size} ${ino}`;
      }),
    );
    return states.join('\n') || 'none';
  }
}

async function loadMsp(mspId: string, folder: string): Promise<Issuer[]> {
  const read = async (part: string): Promise<Buffer[]> =>
    Promise.all((await filesIn(join(folder, part))).map((path) => readFile(path)));
  try {
    const certificates = [...(await read('cacerts')), ...(await read('intermediatecerts'))];
    if (certificates.length === 0) throw new Error('there is no certificate in cacerts');
    const lists = (await read('crls')).map((bytes) => new X509Crl(textOrBytes(bytes)));
    return await Promise.all(
      certificates.map(async (bytes) => ({
        mspId,
        certificate: new X509Certificate(bytes),
        revoked: await revokedBy(new ParsedCertificate(textOrBytes(bytes)), lists),
      })),
    );
  } catch (cause) {
    throw new StorageError('CONFIG_INVALID', `The folder ${folder} is not the MSP of ${mspId}.`, { cause });
  }
}

async function revokedBy(authority: ParsedCertificate, lists: readonly X509Crl[]): Promise<Set<string>> {
  const serials = new Set<string>();
  for (const list of lists) {
    if (!(await list.verify({ publicKey: authority.publicKey }))) continue;
    for (const { serialNumber } of list.entries) serials.add(serialNumber.toUpperCase());
  }
  return serials;
}

function roleOf(certificate: X509Certificate): string | undefined {
  const extension = new ParsedCertificate(certificate.raw).getExtension(ATTRIBUTES);
  if (!extension) return undefined;
  try {
    const { attrs } = attributes.parse(JSON.parse(new TextDecoder().decode(extension.value)));
    return attrs['strokeshare.role'];
  } catch {
    return undefined;
  }
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort().map((name) => join(folder, name));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** PEM is text, DER is not. */
function textOrBytes(bytes: Buffer): string | Uint8Array<ArrayBuffer> {
  return bytes.subarray(0, 64).includes('-----BEGIN') ? bytes.toString('utf8') : new Uint8Array(bytes);
}
