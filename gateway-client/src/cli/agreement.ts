import {
  digestOf,
  signingKeyAt,
  verifyDetached,
  type AgreementView,
  type Institution,
} from '@strokeshare/chaincode';
import { Command } from 'commander';
import { agreementsToSign, answerAgreement } from '../agent/agreements.js';
import { allPages, type AgentContext } from '../agent/context.js';
import type { Decision } from '../agent/index.js';
import { ClientError } from '../errors.js';
import { hashOf, proposeOptions, proposeWith, textOf, type ProposeFlags } from './agreement-text.js';
import { asInstitution, columns, connected, show } from './connected.js';
import { agentOption, connectedCommands, withExample, type AgentFlags, type Common } from './options.js';

/** `strokeshare agreement ...`: what owners of data sign. */
export function agreementCommand(signal: AbortSignal): Command {
  const agreement = new Command('agreement').description('sharing agreements and their signatures');
  const command = connectedCommands(agreement, ' --profile agent.json');

  command('list', 'list the agreements, each in its latest version', 'list').action(
    ({ profile, json }: Common) =>
      connected(profile, async (connection) => {
        const { agreements } = connection.auditor();
        const items = await allPages((after) =>
          agreements.list(after === undefined ? {} : { after }, { signal }),
        );
        show(items, json, () =>
          columns([
            ['agreement', 'version', 'researcher', 'owners', 'until'],
            ...items.map(({ agreementId, content: { version, owners, permission } }) => [
              agreementId,
              String(version),
              permission.researcherId,
              owners.join(' '),
              permission.until,
            ]),
          ]),
        );
      }),
  );
  command(
    'show <agreement>',
    'print one with its state, and verify digest and signatures here',
    'show ist-outcomes --text agreement.txt',
  )
    .option('--text <file>', "compare the agreement's text with what was signed")
    .action((agreementId: string, { profile, json, text }: Common & { text?: string }) =>
      connected(profile, async (connection) => {
        const { agreements, institutions } = connection.auditor();
        const view = await agreements.get({ agreementId }, { signal });
        const members = await allPages((after) =>
          institutions.list(after === undefined ? {} : { after }, { signal }),
        );
        requireSigned(view, members, text === undefined ? undefined : hashOf(await textOf(text)));
        show(view, json, () => textOfAgreement(view));
      }),
    );
  proposeOptions(
    command(
      'propose <permission>',
      'propose an agreement on a permission, as an institution',
      'propose ist-outcomes-request --agreement ist-outcomes --text agreement.txt',
    ),
  ).action((permissionId: string, flags: ProposeFlags) => proposeWith(permissionId, flags, signal));
  for (const [name, description] of [
    ['suspend', 'suspend it for the own institution'],
    ['resume', 'lift the own suspension'],
    ['terminate', 'end it for good; one owner is enough'],
  ] as const) {
    const why = name === 'resume' ? '' : ' --reason "Under review"';
    const one = command(`${name} <agreement>`, description, `${name} ist-outcomes${why}`);
    if (name !== 'resume') one.requiredOption('--reason <text>');
    one.action((agreementId: string, { profile, json, reason = '' }: Common & { reason?: string }) =>
      connected(profile, async (connection) => {
        const { agreements } = connection.institution();
        if (name === 'resume') await agreements.resume({ agreementId }, { signal });
        else await agreements[name]({ agreementId, reason }, { signal });
        const view = await agreements.get({ agreementId }, { signal });
        show(view, json, () => `${agreementId} is ${view.state}.`);
      }),
    );
  }
  const answer = (usage: string, description: string, example: string): Command =>
    withExample(
      agreement
        .command(usage)
        .description(description)
        .addOption(agentOption())
        .option('--json', 'print it as JSON'),
      `agreement ${example} --agent ./agent`,
    );
  answer(
    'sign <agreement>',
    "sign what waits, by the key of the institution's agent",
    'sign ist-outcomes',
  ).action((agreementId: string, { agent, json }: AgentFlags) =>
    asInstitution(agent, signal, (context) => answerWaiting(context, agreementId, { answer: 'sign' }, json)),
  );
  answer('refuse <agreement>', 'refuse what waits', 'refuse ist-outcomes --reason "Too long a period"')
    .requiredOption('--reason <text>')
    .action((agreementId: string, { agent, json, reason }: AgentFlags & { reason: string }) =>
      asInstitution(agent, signal, (context) =>
        answerWaiting(context, agreementId, { answer: 'refuse', reason }, json),
      ),
    );
  return agreement;
}

async function answerWaiting(
  context: AgentContext,
  agreementId: string,
  decision: Exclude<Decision, { answer: 'wait' }>,
  json: boolean | undefined,
): Promise<void> {
  const waiting = (await agreementsToSign(context)).find((one) => one.agreement.agreementId === agreementId);
  if (!waiting) {
    throw new ClientError(
      'NOT_WAITING',
      `${agreementId} does not wait for ${context.mspId}: it is signed or refused, or another institution's.`,
    );
  }
  await answerAgreement(context, waiting, decision);
  const view = await context.consortium.agreements.get({ agreementId }, { signal: context.signal });
  const done = decision.answer === 'sign' ? 'signed' : 'refused';
  show(
    view,
    json,
    () =>
      `${context.mspId} has ${done} ${agreementId}, digest ${waiting.waiting.digest}; it is ${view.state}.`,
  );
}

/** @throws ClientError `RESULT_INVALID` where the ledger's word does not verify. */
function requireSigned(
  { agreementId, content, digest, signatures }: AgreementView,
  members: readonly Institution[],
  textHash: string | undefined,
): void {
  const require = (holds: boolean, what: string): void => {
    if (!holds)
      throw new ClientError('RESULT_INVALID', `The agreement ${agreementId} does not verify: ${what}.`);
  };
  require(digestOf(content) === digest, 'its digest is not that of its content');
  require(textHash === undefined || textHash === content.textHash, 'what was signed is another text');
  for (const [owner, slot] of Object.entries(signatures)) {
    const entry = members.find(({ mspId }) => mspId === owner);
    const key = entry && signingKeyAt(entry, slot.at);
    require(key !== undefined &&
      verifyDetached(content, slot.signature, key), `the signature of ${owner} is not valid`);
  }
}

function textOfAgreement({
  agreementId,
  content,
  digest,
  state,
  signatures,
  ...view
}: AgreementView): string {
  const { permission, owners, version, textHash } = content;
  const slotOf = (owner: string): string => {
    if (view.terminations[owner]) return `terminated it: ${view.terminations[owner].reason}`;
    if (view.refusals[owner]) return `refused: ${view.refusals[owner].reason}`;
    if (view.suspensions[owner]?.suspended) return `suspends it: ${view.suspensions[owner].reason}`;
    return signatures[owner] ? `signed at ${signatures[owner].at}` : 'has not signed yet';
  };
  return [
    `${agreementId} version ${version}: ${state}`,
    `  for          ${permission.researcherId}, ${permission.purpose}, ${permission.from} to ${permission.until}`,
    `  what         ${permission.statistics.join(', ')} of ${permission.variables.join(', ')}`,
    `  datasets     ${permission.datasets.join(', ')}`,
    `  limits       groups from ${permission.minimumCohort} patients on; ${view.reserved} of ${permission.releaseBudget} releases used`,
    `  text         ${textHash}`,
    `  digest       ${digest}`,
    ...owners.map((owner) => `  ${owner.padEnd(12)} ${slotOf(owner)}`),
    ...(view.amendment ? [`  version ${view.amendment.content.version} is proposed`] : []),
  ].join('\n');
}
