import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, GatewayError, hash, type Proposal, signers } from '@hyperledger/fabric-gateway';
import type { FailedCall } from '../diagnosis/hints.js';
import { NetworkError } from '../errors.js';
import type { ClientProfile } from '../operations/clientProfile.js';
import { codeName } from '../protos/transaction.js';

/** One call of a chaincode, as text. */
export interface Call {
  channel: string;
  chaincode: string;
  transaction: string;
  arguments: readonly string[];
}

/**
 * Submits or evaluates one transaction as the user of a profile and returns its result.
 *
 * @param hints - what else is known of a failure, a sentence each
 * @throws NetworkError TRANSACTION_FAILED with the messages of the peers, which the client hides in `details`
 */
export async function transact(
  profile: ClientProfile,
  call: Call,
  kind: 'submit' | 'evaluate',
  hints: (failed: FailedCall) => Promise<string[]> = async () => [],
): Promise<string> {
  const { tlsClientCertPath, tlsClientKeyPath } = profile;
  const client = new Client(
    profile.peerEndpoint,
    credentials.createSsl(
      readFileSync(profile.tlsCaCertPath),
      tlsClientKeyPath === undefined ? null : readFileSync(tlsClientKeyPath),
      tlsClientCertPath === undefined ? null : readFileSync(tlsClientCertPath),
    ),
    {
      'grpc.ssl_target_name_override': profile.peerHostAlias,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    },
  );
  const gateway = connect({
    client,
    hash: hash.sha256,
    identity: { mspId: profile.mspId, credentials: readFileSync(profile.certPath) },
    signer: signers.newPrivateKeySigner(createPrivateKey(readFileSync(profile.keyPath))),
  });
  const contract = gateway.getNetwork(call.channel).getContract(call.chaincode);
  const proposal = contract.newProposal(call.transaction, { arguments: [...call.arguments] });
  try {
    const result = kind === 'submit' ? await submit(proposal) : await proposal.evaluate();
    return Buffer.from(result).toString('utf8');
  } catch (error) {
    const { chaincode, transaction } = call;
    const said = fabricWords(error);
    const words = said.join('\n');
    const txId = proposal.getTransactionId();
    const more = await hints({ chaincode, transaction, txId, contract, error, words }).catch(() => []);
    const text = [...new Set([...said, ...more])].join('\n  ');
    throw new NetworkError(
      'TRANSACTION_FAILED',
      `${transaction} of ${chaincode} on ${call.channel} failed: ${text}`,
      { cause: error },
    );
  } finally {
    gateway.close();
    client.close();
  }
}

async function submit(proposal: Proposal): Promise<Uint8Array> {
  const transaction = await proposal.endorse();
  const result = transaction.getResult();
  const { successful, code, transactionId } = await (await transaction.submit()).getStatus();
  if (!successful)
    throw new Error(
      `Transaction ${transactionId} failed to commit with status code ${code} (${codeName(code)})`,
    );
  return result;
}

/** The error's own text, then the peers' messages that it does not have. */
function fabricWords(error: unknown): string[] {
  const reason = error instanceof Error ? error.message : String(error);
  const details = error instanceof GatewayError ? error.details : [];
  return [
    reason,
    ...details
      .filter(({ message }) => !reason.includes(message))
      .map(({ mspId, message }) => `${mspId}: ${message}`),
  ];
}
