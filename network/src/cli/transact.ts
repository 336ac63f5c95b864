import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, GatewayError, hash, signers } from '@hyperledger/fabric-gateway';
import { NetworkError } from '../errors.js';
import type { ClientProfile } from '../operations/clientProfile.js';

/** One call of a chaincode, as text. */
export interface Call {
  channel: string;
  chaincode: string;
  transaction: string;
  arguments: readonly string[];
}

/**
 * Submits or evaluates one transaction as the user of a profile and returns its result.
 * @throws NetworkError TRANSACTION_FAILED with the messages of the peers, which the client hides in `details`
 */
export async function transact(
  profile: ClientProfile,
  call: Call,
  kind: 'submit' | 'evaluate',
): Promise<string> {
  const client = new Client(
    profile.peerEndpoint,
    credentials.createSsl(readFileSync(profile.tlsCaCertPath)),
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
  try {
    const contract = gateway.getNetwork(call.channel).getContract(call.chaincode);
    const options = { arguments: [...call.arguments] };
    const result =
      kind === 'submit'
        ? await contract.submit(call.transaction, options)
        : await contract.evaluate(call.transaction, options);
    return Buffer.from(result).toString('utf8');
  } catch (cause) {
    throw new NetworkError('TRANSACTION_FAILED', sentence(call, cause), { cause });
  } finally {
    gateway.close();
    client.close();
  }
}

function sentence({ channel, chaincode, transaction }: Call, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const details = error instanceof GatewayError ? error.details : [];
  const lines = details
    .filter(({ message }) => !reason.includes(message))
    .map(({ mspId, message }) => `\n  ${mspId}: ${message}`);
  return `${transaction} of ${chaincode} on ${channel} failed: ${reason}${[...new Set(lines)].join('')}`;
}
