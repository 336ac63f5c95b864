/** One member's part in a dispute: it discloses its sealing key, judges by what all have shown, and says what it found. */
import type { EpochView, Offender } from '@strokeshare/chaincode';
import { checkResults, judgeDealings, parameterSetById, type Roster } from '@strokeshare/fhe';
import { agreedSeed, messagesOf, seedValues } from './ceremony-messages.js';
import { report, type AgentContext } from './context.js';
import { isTurn } from './turns.js';

/** Takes the next step of a disputed attempt. */
export async function disputeStep(context: AgentContext, view: EpochView): Promise<boolean> {
  const { mspId } = context;
  if (view.judgements[mspId]) return closeDispute(context, view);
  const checks = await shownChecks(context, view);
  if (checks && (await isSound(context, view, checks))) {
    // Nobody needs to disclose anything to see that.
    return judge(context, view, unfounded(view));
  }
  const isLate = Date.now() >= Date.parse(view.deadline);
  if (!isLate && !view.disclosures[mspId] && (await disclose(context, view))) return true;
  if (!isLate && view.members.some((member) => !view.disclosures[member])) return false;
  const found = await judgeDealings(rosterOf(view), {
    seed: agreedSeed(view),
    publicKeys: await messagesOf(context, view, 'publicKey'),
    sealingKeys: new Map(seedValues(view).map(({ sender, sealingKey }) => [sender, sealingKey])),
    dealings: await messagesOf(context, view, 'dealing'),
    ...(checks && { checks }),
    disclosures: new Map(
      Object.entries(view.disclosures).map(([member, { disclosure }]) => [
        member,
        new Uint8Array(Buffer.from(disclosure, 'base64')),
      ]),
    ),
  });
  const offenders = found.map(({ member, offence }) => ({ member, offence }));
  // Without checks somebody said that a share does not open; where all open, that was not so.
  return judge(context, view, offenders.length === 0 && !checks ? unfounded(view) : offenders);
}

const unfounded = ({ dispute }: EpochView): Offender[] =>
  dispute ? [{ member: dispute.by, offence: 'dispute unfounded' }] : [];

function rosterOf({ epochId, attempt, members, threshold, parameterSetId }: EpochView): Roster {
  return { set: parameterSetById(parameterSetId), epochId, attempt, members, threshold };
}

/** The check messages, where all members have shown theirs. */
async function shownChecks(
  context: AgentContext,
  view: EpochView,
): Promise<Map<string, Uint8Array> | undefined> {
  const shown = view.members.every((member) => view.messages.dealingCheck?.[member]?.bytesHash !== undefined);
  return shown ? messagesOf(context, view, 'dealingCheck') : undefined;
}

async function isSound(
  context: AgentContext,
  view: EpochView,
  checks: Map<string, Uint8Array>,
): Promise<boolean> {
  const [publicKeys, dealings] = await Promise.all([
    messagesOf(context, view, 'publicKey'),
    messagesOf(context, view, 'dealing'),
  ]);
  const results = checkResults(rosterOf(view), agreedSeed(view), { publicKeys, dealings, checks });
  return results.every(({ isPlausible }) => isPlausible);
}

/** Shows the own sealing key, and erases everything else of the attempt; nothing where the key is gone. */
async function disclose(context: AgentContext, { epochId, attempt }: EpochView): Promise<boolean> {
  const ongoing = context.ceremonies.get(epochId);
  if (ongoing?.attempt !== attempt) return false;
  // Made once: the ceremony is erased with it, and a call that failed is repeated with the same bytes.
  ongoing.disclosure ??= ongoing.ceremony.disclose();
  const disclosure = Buffer.from(ongoing.disclosure).toString('base64');
  await context.consortium.epochs.disclose({ epochId, attempt, disclosure }, { signal: context.signal });
  report(context, 'ceremony', epochId, 'disclosed its sealing key of the disputed attempt');
  return true;
}

async function judge(
  context: AgentContext,
  { epochId, attempt }: EpochView,
  offenders: Offender[],
): Promise<boolean> {
  await context.consortium.epochs.judge({ epochId, attempt, offenders }, { signal: context.signal });
  const names = offenders.map(({ member, offence }) => `${member} (${offence})`).join(', ');
  report(context, 'ceremony', epochId, `found at fault: ${names || 'nobody'}`);
  return true;
}

async function closeDispute(context: AgentContext, view: EpochView): Promise<boolean> {
  const { consortium, signal } = context;
  const { epochId, attempt, members, judgements, deadline, stepSeconds } = view;
  const hashes = Object.values(judgements).map(({ hash }) => hash);
  const most = Math.max(...hashes.map((hash) => hashes.filter((other) => other === hash).length));
  const isOver = Date.now() >= Date.parse(deadline) + stepSeconds * 1000;
  if (most <= members.length / 2 && hashes.length < members.length && !isOver) return false;
  if (!isTurn(context, `dispute ${epochId} ${attempt}`, members)) return false;
  const { abort } = await consortium.epochs.advance({ epochId, from: 'DISPUTED' }, { signal });
  report(context, 'ceremony', epochId, `aborted: ${abort?.reason ?? 'disputed'}`);
  return true;
}
