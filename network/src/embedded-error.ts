/** Why the embedded network could not do something; stable, for programs. */
export type EmbeddedErrorCode =
  | 'CHANNEL_UNKNOWN'
  | 'CHANNEL_EXISTS'
  | 'ORGANIZATION_UNKNOWN'
  | 'CHAINCODE_UNREACHABLE'
  | 'DEFINITION_REFUSED'
  | 'LISTEN_FAILED';

export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError';

  constructor(
    readonly code: EmbeddedErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
