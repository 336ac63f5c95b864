/** The agents' way through a ceremony in which one member lies: contracts in memory, real keys, no network. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EpochView } from '@strokeshare/chaincode';
import { blobHash } from '@strokeshare/fhe';
import { identity } from '../../chaincode/test/support/identities.js';
import { MemoryLedger } from '../../chaincode/test/support/memoryLedger.js';
import { ceremonyStep } from '../src/agent/ceremony.js';
import type { AgentContext } from '../src/agent/context.js';
import { openHolderKey } from '../src/agent/holder-key.js';
import { openKeys } from '../src/agent/keys.js';
import { enroll, foundConsortium } from '../src/agent/open.js';
import { Vault } from '../src/agent/vault.js';
import { institutionClient } from '../src/connect/index.js';
import { memoryLedgerOf } from './support/memoryLedgerOf.js';

const EPOCH = 'epoch-1';
const MEMBERS = ['Hospital1MSP', 'Hospital2MSP', 'Hospital3MSP'];
const LIAR = 1;
const STEPS_AT_MOST = 200;

let folder: string;
let agents: AgentContext[];
const ledger = new MemoryLedger();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strokeshare-dispute-'));
  const blobs = new Map<string, Uint8Array>();
  const put = async (bytes: Uint8Array): Promise<string> => {
    blobs.set(blobHash(bytes), bytes);
    return blobHash(bytes);
  };
  const get = async (hash: string): Promise<Uint8Array> => blobs.get(hash)!;
  agents = await Promise.all(
    MEMBERS.map(async (mspId) => {
      const vault = await Vault.open(join(folder, mspId), join(folder, `${mspId}.key`));
      return {
        mspId,
        consortium: institutionClient(memoryLedgerOf(ledger, await identity(mspId, 'agent', 'institution'))),
        vault,
        keys: await openKeys(vault),
        store: { put, get },
        peers: { get: (_owner: string, hash: string) => get(hash) },
        ceremonies: new Map(),
        releases: new Map(),
        waiting: new Map(),
        report: () => undefined,
        signal: new AbortController().signal,
      } as unknown as AgentContext;
    }),
  );
  const members = MEMBERS.map((mspId) => ({ mspId, level: 'municipal' as const }));
  await foundConsortium(agents[0]!, { members, rule: 'majority' });
  for (const agent of agents) await enroll(agent, { name: agent.mspId });
  await agents[0]!.consortium.epochs.open({
    epochId: EPOCH,
    parameterSet: 'additive',
    threshold: 2,
    members: MEMBERS,
  });
});
afterAll(async () => {
  for (const { ceremonies } of agents ?? [])
    for (const { ceremony } of ceremonies.values()) ceremony[Symbol.dispose]();
  await rm(folder, { recursive: true });
});

const view = (): Promise<EpochView> => agents[0]!.consortium.epochs.get({ epochId: EPOCH });

/** Lets the agents take turns until the epoch is in a state. */
async function until(state: EpochView['state'], each: () => void = () => undefined): Promise<EpochView> {
  for (let step = 0; step < STEPS_AT_MOST; step++) {
    const now = await view();
    if (now.state === state) return now;
    for (const agent of agents) {
      await ceremonyStep(agent);
      each();
    }
  }
  throw new Error(`the epoch did not become ${state}`);
}

/** The liar's check says something else than its shares give. */
function lie(): void {
  const ceremony = agents[LIAR]!.ceremonies.get(EPOCH)?.ceremony;
  if (!ceremony || Object.hasOwn(ceremony, 'dealingCheck')) return;
  const honest = ceremony.dealingCheck.bind(ceremony);
  ceremony.dealingCheck = async (dealings) => {
    const message = await honest(dealings);
    new DataView(message.buffer, message.byteOffset).setBigUint64(message.length - 8, 1n, true);
    return message;
  };
}

test('a falsified check ends the attempt and names the liar; the next attempt shares nothing with it', async () => {
  const disputed = await until('DISPUTED', lie);
  expect(disputed.confirmations).toEqual({});
  const aborted = await until('ABORTED');
  expect(aborted.abort?.offenders).toEqual([{ member: MEMBERS[LIAR], offence: 'check falsified' }]);
  expect(Object.keys(aborted.disclosures)).toEqual(MEMBERS);
  for (const agent of agents) {
    await ceremonyStep(agent);
    expect(agent.ceremonies.size).toBe(0);
    await expect(openHolderKey(agent, EPOCH)).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
  }

  await agents[0]!.consortium.epochs.restart({ epochId: EPOCH });
  const active = await until('ACTIVE');
  expect(active).toMatchObject({ attempt: 2, past: [{ attempt: 1, state: 'ABORTED' }] });
  for (const [index, agent] of agents.entries()) {
    using key = await openHolderKey(agent, EPOCH);
    expect(key).toMatchObject({ index: index + 1, shareVersion: 2 });
  }
  for (const member of MEMBERS)
    expect(active.messages.seed![member]!.bytesHash).not.toBe(aborted.messages.seed![member]!.bytesHash);
});

test('a dispute of sound dealings names whoever began it, and nobody has to disclose', async () => {
  const epochId = 'epoch-2';
  const { epochs } = agents[0]!.consortium;
  await epochs.open({ epochId, parameterSet: 'additive', threshold: 2, members: MEMBERS });
  const get = () => epochs.get({ epochId });
  const checked = ({ messages }: EpochView) =>
    MEMBERS.every((member) => messages.dealingCheck?.[member]?.bytesHash !== undefined);
  for (let step = 0; step < STEPS_AT_MOST && !checked(await get()); step++)
    for (const agent of agents) if (!checked(await get())) await ceremonyStep(agent);
  await agents[LIAR]!.consortium.epochs.dispute({ epochId, attempt: 1, reason: 'I say so.' });
  for (let step = 0; step < STEPS_AT_MOST && (await get()).state === 'DISPUTED'; step++)
    for (const agent of agents) await ceremonyStep(agent);
  const { abort, disclosures } = await get();
  expect(abort?.offenders).toEqual([{ member: MEMBERS[LIAR], offence: 'dispute unfounded' }]);
  expect(disclosures).toEqual({});
});
