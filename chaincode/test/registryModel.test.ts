/**
 * Motions and researchers against a model of their own, and every transaction of a job in every state that a job goes
 * through: nothing moves but along the tables. On a failure fast-check prints the seed and the shortest sequence.
 */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { type AnalysisQuery } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { consortium, definitionsOf, type JobState, type Motion } from '../src/index.js';
import { move } from '../src/states/machine.js';
import { jobMachine, motionMachine, researcherMachine } from '../src/states/machines.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { type MemoryLedger } from './support/memoryLedger.js';

const { InstitutionContract, JobContract, ResearcherContract } = consortium;
const MEMBERS = 4;
/** A majority of four. */
const NEEDED = 3;
const HOUR = 3_600_000;

interface ModelMotion {
  readonly kind: 'suspendResearcher' | 'restoreResearcher';
  readonly votes: Map<number, boolean>;
  state: Motion['state'];
}

class Model {
  readonly motions: ModelMotion[] = [];
  home = false;
  members = false;
  get status(): 'ACTIVE' | 'SUSPENDED' {
    return this.home || this.members ? 'SUSPENDED' : 'ACTIVE';
  }
}

interface Action {
  readonly kind: 'propose' | 'vote' | 'close' | 'suspend' | 'restore';
  readonly member: number;
  readonly motion: number;
  readonly yes: boolean;
}

/** Whether the model allows an action; if so, it is done. */
function apply(model: Model, { kind, member, motion: index, yes }: Action): boolean {
  const motion = model.motions[index];
  switch (kind) {
    case 'propose':
      // There is nothing to restore, and no more than one suspension by the members.
      if (model.members === yes) return false;
      model.motions.push({
        kind: yes ? 'suspendResearcher' : 'restoreResearcher',
        votes: new Map(),
        state: 'OPEN',
      });
      return true;
    case 'vote':
      if (motion?.state !== 'OPEN' || motion.votes.has(member)) return false;
      motion.votes.set(member, yes);
      return true;
    case 'close': {
      if (motion?.state !== 'OPEN') return false;
      const approvals = [...motion.votes.values()].filter(Boolean).length;
      const possible = MEMBERS - motion.votes.size + approvals;
      if (approvals < NEEDED && possible >= NEEDED) return false;
      motion.state = approvals >= NEEDED ? 'CARRIED' : 'REJECTED';
      if (motion.state === 'CARRIED') model.members = motion.kind === 'suspendResearcher';
      return true;
    }
    case 'suspend':
    case 'restore':
      if (model.home === (kind === 'suspend')) return false;
      model.home = kind === 'suspend';
      return true;
  }
}

describe('motions and researchers', () => {
  let alliance: Alliance;
  let researcherId: string;
  beforeAll(async () => {
    alliance = await Alliance.create([[], [], [], []], 2);
    ({ researcherId } = await alliance.ask(ResearcherContract.Get, {}));
  });
  afterAll(() => alliance?.[Symbol.asyncDispose]());

  async function act(ledger: MemoryLedger, model: Model, action: Action): Promise<boolean> {
    const { kind, member, yes } = action;
    const as = { identity: alliance.member(member).agent };
    const operator = { identity: alliance.operator };
    const motionId = `m-${kind === 'propose' ? model.motions.length : action.motion}`;
    const reason = 'As discussed.';
    try {
      if (kind === 'propose') {
        const content = { kind: yes ? ('suspendResearcher' as const) : ('restoreResearcher' as const) };
        await ledger.call(InstitutionContract.Propose, { motionId, ...content, researcherId, reason }, as);
      } else if (kind === 'vote') await ledger.call(InstitutionContract.Vote, { motionId, approve: yes }, as);
      else if (kind === 'close') await ledger.call(InstitutionContract.CloseMotion, { motionId }, as);
      else if (kind === 'suspend')
        await ledger.call(ResearcherContract.Suspend, { researcherId, reason }, operator);
      else await ledger.call(ResearcherContract.Restore, { researcherId }, operator);
      return true;
    } catch {
      return false;
    }
  }

  class Command implements fc.AsyncCommand<Model, MemoryLedger> {
    constructor(readonly action: Action) {}
    check = (): boolean => true;
    toString = (): string => JSON.stringify(this.action);

    async run(model: Model, ledger: MemoryLedger): Promise<void> {
      const [status, motions] = [model.status, model.motions.map(({ state }) => state)];
      const done = await act(ledger, model, this.action);
      deepStrictEqual(done, apply(model, this.action));
      const as = { identity: alliance.researcher };
      const researcher = await ledger.call(ResearcherContract.Get, { researcherId }, as);
      deepStrictEqual(researcher.status, model.status);
      if (status !== model.status) move(researcherMachine, status, researcher.status);
      for (const [index, before] of motions.entries()) {
        const { state } = await ledger.call(InstitutionContract.Motion, { motionId: `m-${index}` }, as);
        deepStrictEqual(state, model.motions[index]!.state);
        if (state !== before) move(motionMachine, before, state);
      }
    }
  }

  it('do what the model allows and nothing else, whatever members and operators do', async () => {
    const actions = fc.record({
      kind: fc.constantFrom(
        ...(['propose', 'vote', 'vote', 'vote', 'vote', 'close', 'close', 'suspend', 'restore'] as const),
      ),
      member: fc.nat(MEMBERS - 1),
      motion: fc.nat(1),
      yes: fc.oneof(
        { weight: 3, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: fc.constant(false) },
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.commands([actions.map((action) => new Command(action))], { maxCommands: 40 }),
        async (commands) => {
          await fc.asyncModelRun(() => ({ model: new Model(), real: alliance.ledger.fork() }), commands);
        },
      ),
      { numRuns: 30 },
    );
    expect((await alliance.ask(InstitutionContract.Motions, {})).items).toEqual([]);
  });
});

describe('a job', () => {
  const mean: AnalysisQuery = { version: 1, statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }] };
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready([cohort(60, 1), cohort(60, 2)], 2);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  const transactions = definitionsOf('consortium').filter(
    ({ contract, commits }) => contract === 'JobContract' && commits,
  );
  const requests: Readonly<Record<string, object>> = {
    Submit: { agreementId: 'agreement-1', purpose: 'DUO:0000007', query: mean },
    Cancel: { reason: 'It is not needed any more.' },
    PostPartials: { partials: {}, withheld: ['AGE', '_row'] },
    Aggregate: { cells: [] },
    PostCountShares: { sealed: { Hospital2MSP: '' } },
    PostVerdict: { verdicts: {}, signature: '' },
    OpenCounts: { shares: {} },
    PostValueShares: { sealed: '' },
  };

  it('moves along its table alone: every transaction in every state, now, late, and with its right gone', async () => {
    const seen = new Set<string>();
    const moves = new Set<string>();
    const jobId = 'job-1';
    const stateIn = async (ledger: MemoryLedger): Promise<JobState> =>
      (await ledger.call(JobContract.Get, { jobId }, { identity: alliance.researcher })).state;
    const worlds: ((ledger: MemoryLedger) => unknown)[] = [
      () => undefined,
      (ledger) => (ledger.now += 2 * HOUR),
      (ledger) => (ledger.now += 48 * HOUR),
      (ledger) =>
        ledger.call(
          consortium.AgreementContract.Terminate,
          { agreementId: 'agreement-1', reason: 'Enough.' },
          { identity: alliance.member(1).agent },
        ),
    ];
    const probe = async () => {
      for (const change of worlds)
        for (const definition of transactions)
          for (const index of [0, 1]) {
            const ledger = alliance.ledger.fork();
            await change(ledger);
            const before = await stateIn(ledger);
            seen.add(before);
            const identity =
              definition.roles[0] === 'researcher' ? alliance.researcher : alliance.member(index).agent;
            const request = { jobId, ...requests[definition.transaction] };
            // Most are refused; what matters is where the job is afterwards.
            await ledger.call(definition, request, { identity }).catch(() => undefined);
            const after = await stateIn(ledger);
            if (after === before) continue;
            moves.add(`${before} > ${after}`);
            move(jobMachine, before, after);
          }
    };
    let job = await alliance.submit(jobId, mean);
    await probe();
    await alliance.evaluate(job, alliance.member(1));
    await probe();
    await alliance.evaluate(job, alliance.member(0));
    await probe();
    await alliance.aggregate(job);
    await probe();
    job = await alliance.get(jobId);
    const shares = await alliance.judge(job, 20);
    await alliance.openCounts(job, shares, alliance.openCountCells(job));
    await probe();
    job = await alliance.as(alliance.member(0), JobContract.CloseCounts, { jobId });
    await probe();
    await alliance.releaseValues(job);
    await probe();
    await alliance.as(alliance.member(0), JobContract.CloseRelease, { jobId });
    await probe();
    expect([...seen].sort()).toEqual([
      'AGGREGATED',
      'COUNTED',
      'EVALUATING',
      'FAILED',
      'RELEASED',
      'SUBMITTED',
    ]);
    // The probes themselves do move it: the test would notice more.
    expect([...moves]).toEqual(
      expect.arrayContaining(['SUBMITTED > CANCELLED', 'EVALUATING > REFUSED', 'COUNTED > RELEASED']),
    );
    expect([...moves].filter((step) => /^(RELEASED|FAILED)/.test(step))).toEqual([]);
  });
});
