import { createPrivateKey } from 'node:crypto';
import { request } from 'node:https';
import { z } from 'zod';
import { requestCertificate, type IssuedCertificate, type NodeRole } from '../certificates/index.js';
import { NetworkError } from '../errors.js';
import { signMessage } from '../msp/signature.js';

/*
 * The REST interface of Fabric CA (its documentation: "Fabric CA swagger"), as far as identities are concerned:
 * `register` by a registrar, who signs each request, and `enroll` by the secret of a registration.
 */

const DEADLINE_MS = 30_000;

const answerSchema = z.object({
  success: z.boolean(),
  result: z.unknown(),
  errors: z.array(z.object({ code: z.number(), message: z.string() })).nullish(),
});
const enrolledSchema = z.object({ Cert: z.base64() });

/** An identity that a registrar enters. */
export interface Registration {
  readonly id: string;
  readonly secret: string;
  readonly type: NodeRole;
  /** Written into every certificate that is enrolled for it. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A client of one Fabric CA server. */
export class FabricCaClient {
  /**
   * @param port of the server on this machine
   * @param tlsCa PEM of the authority of its TLS certificate
   */
  constructor(
    private readonly port: number,
    private readonly tlsCa: string,
  ) {}

  /**
   * Has a fresh key certified for a registered identity; its common name is the identity's.
   * @param organization the O of the subject
   * @throws NetworkError FABRIC_COMMAND_FAILED with the server's reason
   */
  async enroll(id: string, secret: string, organization: string): Promise<IssuedCertificate> {
    const { request: certificateRequest, key } = await requestCertificate(organization, id);
    const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
    const result = await this.post(
      'enroll',
      { certificate_request: certificateRequest },
      () => authorization,
    );
    const { Cert } = enrolledSchema.parse(result);
    return { certificate: Buffer.from(Cert, 'base64').toString(), key };
  }

  /**
   * Registers an identity; its secret is good for one enrolment.
   * @throws NetworkError FABRIC_COMMAND_FAILED with the server's reason
   */
  async register(registrar: IssuedCertificate, { attributes, ...identity }: Registration): Promise<void> {
    const attrs = Object.entries(attributes).map(([name, value]) => ({ name, value, ecert: true }));
    await this.post('register', { ...identity, max_enrollments: 1, affiliation: '', attrs }, (path, body) =>
      token(registrar, 'POST', path, body),
    );
  }

  private async post(
    endpoint: string,
    body: unknown,
    authorize: (path: string, body: string) => string,
  ): Promise<unknown> {
    const path = `/api/v1/${endpoint}`;
    const content = JSON.stringify(body);
    const text = await this.send(path, content, authorize(path, content));
    const { success, result, errors } = answerSchema.parse(JSON.parse(text));
    if (success) return result;
    const reason = errors?.map(({ message }) => message).join('; ') ?? 'it gave no reason';
    throw new NetworkError('FABRIC_COMMAND_FAILED', `The Fabric CA refused to ${endpoint}: ${reason}`);
  }

  private async send(path: string, content: string, authorization: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { authorization, 'content-type': 'application/json' };
      const options = { host: 'localhost', port: this.port, ca: this.tlsCa, agent: false, method: 'POST' };
      const call = request({ ...options, path, headers, timeout: DEADLINE_MS }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString()));
        response.on('error', reject);
      });
      call.on('timeout', () => call.destroy(new Error(`no answer within ${DEADLINE_MS / 1000} seconds`)));
      call.on('error', reject);
      call.end(content);
    });
  }
}

/** The authorization header of a registrar: its certificate, and its signature over all that the request says. */
function token({ certificate, key }: IssuedCertificate, method: string, path: string, body: string): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const payload = [method, base64(path), base64(body), base64(certificate)].join('.');
  const signature = signMessage(createPrivateKey(key), Buffer.from(payload));
  return `${base64(certificate)}.${Buffer.from(signature).toString('base64')}`;
}
