/** Choosing a scheme, sealing a batch, and what of it can be read. */
import { type z } from 'zod';
import {
  type ChooseScheme,
  type ChosenScheme,
  type SealBatch,
  type SealedBlock,
  type schemeView,
  type SharingKind,
  type SharingView,
} from '../api/endorsement.js';
import { ContractError } from '../errors.js';
import {
  chainTips,
  consortiumRecords,
  schemeRecords,
  sealedBlocks,
  sharingConfirmed,
  sharingPending,
} from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { move } from '../states/machine.js';
import { sharingMachine } from '../states/machines.js';
import { checkBlock, genesisTip, schemeNamed } from './chain.js';
import { type Tip } from './scheme.js';
import { CHOSEN, hasDepth, heightKey, sealingScheme } from './sharing.js';

const TIP = 'tip';
const SEATS = 'seats';

/** Possible once: on the consortium's channel by its founder, on a private channel by its institution. */
export async function choose(transaction: Transaction, request: ChooseScheme): Promise<ChosenScheme> {
  const { ledger, caller, at, context } = transaction;
  const founded = await ledger.find(consortiumRecords, SEATS);
  if (founded && founded.foundedBy !== caller.mspId)
    throw new ContractError(
      'NOT_A_PARTY',
      `The scheme is chosen by ${founded.foundedBy}, which founded the consortium.`,
    );
  const chosen: ChosenScheme = {
    ...request,
    channel: context.stub.getChannelID(),
    chosenBy: caller.mspId,
    chosenAt: at,
  };
  if (request.scheme !== 'none') {
    const { parameters } = schemeNamed(request.scheme);
    const [issue] = parameters.safeParse(request.parameters).error?.issues ?? [];
    if (issue)
      throw new ContractError(
        'BAD_REQUEST',
        `${request.scheme}: parameters.${issue.path.join('.')}: ${issue.message}.`,
      );
    await putTip(ledger, genesisTip(chosen));
  }
  await ledger.create(schemeRecords, chosen, CHOSEN);
  transaction.emit(request.scheme);
  return chosen;
}

const putTip = (ledger: Ledger, tip: Tip<unknown>): Promise<void> =>
  ledger.put(chainTips, tip as z.infer<typeof chainTips.shape>, TIP);

async function requireScheme(ledger: Ledger): Promise<ChosenScheme> {
  const chosen = await sealingScheme(ledger);
  if (!chosen) throw new ContractError('ILLEGAL_STATE', 'This channel seals nothing: its scheme is none.');
  return chosen;
}

/**
 * Adds a block. What costs little is asked first: the proof by its scheme without any other state than the tip, then
 * the root, and only then the entries of the batch one by one. Two blocks on one tip conflict at the commit.
 */
export async function seal(transaction: Transaction, { proof, batch }: SealBatch): Promise<SealedBlock> {
  const { ledger, caller, at, now } = transaction;
  const chosen = await requireScheme(ledger);
  const tip = checkBlock(chosen, await ledger.get(chainTips, TIP), {
    proof,
    batch,
    miner: caller.mspId,
    now,
  });
  const sealed = new Set<string>();
  for (const { kind, id, digest } of batch) {
    const name = `${kind}/${id}`;
    const pending = await ledger.find(sharingPending, kind, id);
    if (pending?.digest !== digest || sealed.has(name))
      throw new ContractError('NOT_PENDING', `The ${kind} "${id}" is not pending with this digest.`);
    sealed.add(name);
    move(sharingMachine, 'PENDING', 'CONFIRMED');
    await ledger.remove(sharingPending, kind, id);
    await ledger.create(sharingConfirmed, { ...pending, height: tip.height }, kind, id);
  }
  const { height, hash } = tip;
  const block: SealedBlock = { height, hash, proof, batch, sealedBy: caller.mspId, sealedAt: at };
  await ledger.create(sealedBlocks, block, heightKey(height));
  await putTip(ledger, tip);
  transaction.emit(String(height), 'CONFIRMED');
  return block;
}

export async function viewScheme({ ledger }: Transaction): Promise<z.infer<typeof schemeView>> {
  const chosen = await ledger.find(schemeRecords, CHOSEN);
  return { scheme: chosen?.scheme ?? 'none', ...(chosen && { chosen }) };
}

export async function viewTip({ ledger }: Transaction) {
  await requireScheme(ledger);
  return ledger.get(chainTips, TIP);
}

export async function viewSharing(
  { ledger }: Transaction,
  { kind, id }: { kind: SharingKind; id: string },
): Promise<SharingView> {
  const { depth } = await requireScheme(ledger);
  const confirmed = await ledger.find(sharingConfirmed, kind, id);
  if (!confirmed) {
    const item = await ledger.get(sharingPending, kind, id);
    return { state: 'PENDING', item, confirmations: 0, usable: false };
  }
  const { height, ...item } = confirmed;
  const tip = await ledger.get(chainTips, TIP);
  return {
    state: 'CONFIRMED',
    item,
    height,
    confirmations: tip.height - height + 1,
    usable: await hasDepth(ledger, height, depth),
  };
}
