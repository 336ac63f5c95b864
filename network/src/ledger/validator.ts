import { common } from '@hyperledger/fabric-protos';
import { type Identity } from '../msp/identity.js';
import { type ChannelPolicies, type Policy, resolveApplicationPolicy } from '../policy/channel-policies.js';
import { endorserSets } from '../policy/endorsers.js';
import { validIdentities } from '../policy/evaluate.js';
import { endorsedAndMissing } from '../policy/missing.js';
import { decodeSignaturePolicy } from '../policy/signature-policy.js';
import { errorMessage } from '../protos/bytes.js';
import {
  Code,
  type EndorsedAction,
  type NamespaceReadWriteSet,
  transactionId,
  type TransactionEnvelope,
  type ValidationCode,
  writesTo,
} from '../protos/transaction.js';
import { type ChaincodeDefinition, lifecycleNamespace } from './lifecycle-state.js';
import { checkReads } from './mvcc.js';
import { decodeMetadata } from './read-write-set.js';
import { validationParameter } from './simulator.js';
import { type StateDb } from './state-db.js';
import { Updates } from './updates.js';

export interface Verdict {
  readonly code: ValidationCode;
  readonly reason?: string;
}

/** The result of validating a block: a code for each transaction and what the valid ones change. */
export interface ValidatedBlock {
  readonly verdicts: readonly Verdict[];
  readonly updates: Updates;
}

/**
 * Validates the transactions of a block as a peer does: form, creator's signature, transaction id, duplicates,
 * endorsement policies (of the chaincode or of the keys), then reads. The checks are those of Fabric's
 * txvalidator/v20, its built-in validation and txmgmt/validation, in their order.
 */
export class BlockValidator {
  constructor(
    private readonly channel: string,
    private readonly policies: ChannelPolicies,
    private readonly state: StateDb,
    private readonly isKnown: (txId: string) => boolean,
    private readonly definition: (name: string) => ChaincodeDefinition | undefined,
  ) {}

  async validate(blockNumber: number, transactions: readonly TransactionEnvelope[]): Promise<ValidatedBlock> {
    const changedPolicies = new Set<string>();
    const verdicts = transactions.map((transaction) => this.#checkEndorsed(transaction, changedPolicies));
    const seen = new Set<string>();
    transactions.forEach(({ txId }, index) => {
      if (verdicts[index]?.code !== Code.VALID || txId === '') return;
      if (seen.has(txId))
        verdicts[index] = { code: Code.DUPLICATE_TXID, reason: 'the id is twice in this block' };
      seen.add(txId);
    });
    const updates = new Updates();
    for (const [index, transaction] of transactions.entries()) {
      if (verdicts[index]?.code !== Code.VALID) continue;
      const verdict = await checkReads(transaction, this.state, updates);
      verdicts[index] = verdict;
      if (verdict.code === Code.VALID)
        updates.apply(transaction, { block: blockNumber, tx: index }, this.state);
    }
    return { verdicts, updates };
  }

  #checkEndorsed(transaction: TransactionEnvelope, changedPolicies: Set<string>): Verdict {
    const { headers, headersFailure } = transaction;
    if (!headers || headersFailure) return headersFailure ?? { code: Code.BAD_COMMON_HEADER };
    // The first block of a channel is its configuration, which nobody signs.
    const isConfig = transaction.type === common.HeaderType.CONFIG;
    if (!isConfig) {
      const problem = this.#creatorProblem(transaction, headers.signatureHeader);
      if (problem !== null) return { code: Code.BAD_CREATOR_SIGNATURE, reason: problem };
      if (!transaction.isEndorserTransaction) return { code: Code.UNSUPPORTED_TX_PAYLOAD };
      const { signatureHeader } = headers;
      if (
        transaction.txId !== transactionId(signatureHeader.getNonce_asU8(), signatureHeader.getCreator_asU8())
      ) {
        return { code: Code.BAD_PROPOSAL_TXID };
      }
      if (transaction.bodyFailure) return transaction.bodyFailure;
    }
    if (transaction.channelId !== this.channel) return { code: Code.TARGET_CHAIN_NOT_FOUND };
    if (isConfig) return { code: Code.VALID };
    if (this.isKnown(transaction.txId))
      return { code: Code.DUPLICATE_TXID, reason: 'the id is in an earlier block' };
    if (transaction.dispatchFailure) return transaction.dispatchFailure;
    const { action } = transaction;
    if (!action) return { code: Code.NIL_TXACTION };
    return this.#checkPolicies(transaction, action, changedPolicies);
  }

  #creatorProblem(transaction: TransactionEnvelope, header: common.SignatureHeader): string | null {
    let creator: Identity;
    try {
      creator = this.policies.manager.deserialize(header.getCreator_asU8());
    } catch (error) {
      return errorMessage(error);
    }
    const problem = this.policies.manager.problem(creator);
    if (problem !== null) return `creator certificate is not valid: ${problem}`;
    const good = remembered(transaction, 'creator', () =>
      creator.verify(transaction.payload, transaction.signature),
    );
    return good ? null : "creator's signature over the proposal is not valid";
  }

  #checkPolicies(
    transaction: TransactionEnvelope,
    action: EndorsedAction,
    changedPolicies: Set<string>,
  ): Verdict {
    const endorsers = validIdentities(
      action.endorsements.map(({ endorser, signature }) => ({
        data: Buffer.concat([action.responsePayload, endorser]),
        identity: endorser,
        signature,
      })),
      this.policies.manager,
      (identity, signed) =>
        remembered(transaction, `${identity.key}/${Buffer.from(signed.signature).toString('base64')}`, () =>
          identity.verify(signed.data, signed.signature),
        ),
    );
    const written = action.readWriteSets.filter(writesTo);
    const namespaces = new Set([action.proposedChaincode, ...written.map(({ namespace }) => namespace)]);
    for (const namespace of namespaces) {
      const sets = written.find((set) => set.namespace === namespace);
      const verdict = this.#checkNamespace(namespace, sets, endorsers, changedPolicies);
      if (verdict.code !== Code.VALID) return verdict;
    }
    for (const { namespace, set } of written) {
      for (const write of set.getMetadataWritesList()) changedPolicies.add(`${namespace}\0${write.getKey()}`);
    }
    return { code: Code.VALID };
  }

  #checkNamespace(
    namespace: string,
    written: NamespaceReadWriteSet | undefined,
    endorsers: readonly Identity[],
    changedPolicies: ReadonlySet<string>,
  ): Verdict {
    const chaincodePolicy = this.#chaincodePolicy(namespace);
    if (chaincodePolicy === undefined) {
      return { code: Code.INVALID_CHAINCODE, reason: `chaincode ${namespace} is not defined` };
    }
    if (written?.hasPrivateData) {
      return {
        code: Code.ENDORSEMENT_POLICY_FAILURE,
        reason: 'private data collections are not supported here',
      };
    }
    const failure = (reason: string): Verdict => ({ code: Code.ENDORSEMENT_POLICY_FAILURE, reason });
    let checked = false;
    let chaincodeChecked = false;
    const checkChaincodePolicy = (): string | null => {
      if (chaincodeChecked) return null;
      const problem = chaincodePolicy(endorsers);
      chaincodeChecked = checked = problem === null;
      return problem && `validation of endorsement policy for chaincode ${namespace} failed: ${problem}`;
    };
    const keys = [...(written?.set.getWritesList() ?? []), ...(written?.set.getMetadataWritesList() ?? [])];
    for (const write of keys) {
      const key = write.getKey();
      if (changedPolicies.has(`${namespace}\0${key}`)) {
        return failure(
          `validation parameters for key '${key}' have been changed by another transaction of the block`,
        );
      }
      const policy = decodeMetadata(this.state.get(namespace, key)?.metadata ?? new Uint8Array(0)).get(
        validationParameter,
      );
      if (policy && policy.length > 0) {
        let problem: string | null;
        try {
          problem = this.#problem(decodeSignaturePolicy(policy), endorsers);
        } catch (error) {
          problem = errorMessage(error);
        }
        if (problem !== null)
          return failure(`validation of key ${key} (ns '${namespace}') failed: ${problem}`);
        checked = true;
      } else {
        const problem = checkChaincodePolicy();
        if (problem !== null) return failure(problem);
      }
    }
    const problem = checked ? null : checkChaincodePolicy();
    return problem === null ? { code: Code.VALID } : failure(problem);
  }

  /** The judge of a chaincode's endorsement policy; undefined where the chaincode is not defined. */
  #chaincodePolicy(namespace: string): ((endorsers: readonly Identity[]) => string | null) | undefined {
    if (namespace === lifecycleNamespace) {
      const policy = this.policies.named('/Channel/Application/LifecycleEndorsement');
      return policy && ((endorsers) => this.#problem(policy, endorsers));
    }
    const definition = this.definition(namespace);
    if (!definition) return undefined;
    const policy = resolveApplicationPolicy(definition.validationParameter, this.policies);
    return (endorsers) => this.#problem(policy, endorsers);
  }

  /** Why the endorsers do not satisfy a policy, and who is missing; null if they do. */
  #problem(policy: Policy, endorsers: readonly Identity[]): string | null {
    const problem = this.policies.problem(policy, endorsers);
    if (problem === null) return null;
    const organizations = [...new Set(endorsers.map(({ mspId }) => mspId))];
    return `${problem}: ${endorsedAndMissing(endorserSets(policy, this.policies), organizations)}`;
  }
}

/** Every node of the process judges the same bytes by the same certificates, so a signature is checked once. */
export function remembered(transaction: TransactionEnvelope, key: string, check: () => boolean): boolean {
  let result = transaction.verified.get(key);
  if (result === undefined) {
    result = check();
    transaction.verified.set(key, result);
  }
  return result;
}
