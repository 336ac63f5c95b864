import { explain } from './explanations.js';

/** What a client of grpc-js receives at most unless it was made otherwise. */
const CLIENT_DEFAULT = 4 * 1024 * 1024;

/** Warns of an answer that many clients cannot receive; all that they learn is RESOURCE_EXHAUSTED. */
export function explainSize(txId: string, bytes: number): void {
  if (bytes <= CLIENT_DEFAULT) return;
  const size = (bytes / 1024 / 1024).toFixed(1);
  explain(
    txId,
    `its answer has ${size} MB; a client receives 4 MB unless it is made with "grpc.max_receive_message_length"`,
  );
}
