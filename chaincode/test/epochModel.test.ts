/**
 * The key epoch against a model of its own: rounds, deadlines, attempts, disputes, retirement. Nothing moves but along
 * the table. On a failure fast-check prints the seed and the shortest sequence.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { commitment as commitmentOf } from '@strokeshare/fhe';
import fc from 'fast-check';
import {
  type CeremonyLabel,
  ceremonyLabels,
  ceremonyStates,
  ceremonySteps,
  consortium,
  type EpochState,
  type Offender,
} from '../src/index.js';
import { move } from '../src/states/machine.js';
import { epochMachine } from '../src/states/machines.js';
import { Alliance, EPOCH } from './support/alliance.js';
import { type MemoryLedger } from './support/memoryLedger.js';

const { KeyEpochContract } = consortium;
const MEMBERS = ['Hospital1MSP', 'Hospital2MSP', 'Hospital3MSP'];
const MAJORITY = 2;
const STEP_MS = 60_000;
const LIFE_MS = 50 * STEP_MS;
const SHARDS = 16;
const findings: Offender[][] = [[], [{ member: 'Hospital2MSP', offence: 'key withheld' }]];

class Model {
  state: EpochState = 'OPEN';
  attempt = 1;
  now = 0;
  deadline = STEP_MS;
  /** `label/member`, of the present attempt. */
  committed = new Set<string>();
  revealed = new Set<string>();
  confirmed = new Map<number, boolean>();
  disclosed = new Set<number>();
  judged = new Map<number, number>();
  exhausted = false;
  /** How the attempt or the epoch ended. */
  silent: string[] | undefined;
  offenders: Offender[] | undefined;
  cause: 'SCHEDULE' | 'BUDGET' | 'DECISION' | undefined;

  get late(): boolean {
    return this.now >= this.deadline;
  }
  get rounds(): readonly (readonly CeremonyLabel[])[] {
    return ceremonySteps[this.state]?.rounds ?? [];
  }
  all(what: ReadonlySet<string>, labels: readonly CeremonyLabel[] = []): boolean {
    return labels.every((label) => MEMBERS.every((_, i) => what.has(`${label}/${i}`)));
  }
  /** Whether members may still do what the state needs. */
  get timely(): boolean {
    return this.rounds.length > 0 && !this.late;
  }
  go(to: EpochState): true {
    this.state = to;
    this.deadline = this.now + STEP_MS;
    return true;
  }
  abort(silent?: string[], offenders?: Offender[]): true {
    this.silent = silent;
    this.offenders = offenders;
    return this.go('ABORTED');
  }
  whoIsSilent(): string[] {
    for (const round of this.rounds)
      for (const what of [this.committed, this.revealed]) {
        const silent = MEMBERS.filter((_, i) => round.some((label) => !what.has(`${label}/${i}`)));
        if (silent.length > 0) return silent;
      }
    return this.state === 'ROUND2' ? MEMBERS.filter((_, i) => !this.confirmed.has(i)) : [];
  }
  advance(): boolean {
    if (this.state === 'ROUND2') {
      if (new Set(this.confirmed.values()).size > 1) return this.abort();
      return this.confirmed.size === MEMBERS.length && this.go('ACTIVE');
    }
    if (this.state !== 'DISPUTED')
      return this.all(this.revealed, this.rounds.flat()) && this.go(ceremonySteps[this.state]!.next);
    const votes = [...this.judged.values()];
    const verdict = votes.find((found) => votes.filter((other) => other === found).length >= MAJORITY);
    if (verdict !== undefined) return this.abort(undefined, findings[verdict]);
    const over = votes.length === MEMBERS.length || this.now >= this.deadline + STEP_MS;
    return over && this.abort();
  }
}

interface Action {
  readonly kind:
    | 'commit'
    | 'reveal'
    | 'complete'
    | 'confirm'
    | 'confirmAll'
    | 'advance'
    | 'abort'
    | 'restart'
    | 'dispute'
    | 'disclose'
    | 'judge'
    | 'retire'
    | 'wait'
    | 'exhaust';
  readonly member: number;
  readonly label: CeremonyLabel;
  /** `advance` names it; most often the epoch's own. */
  readonly from: (typeof ceremonyStates)[number] | 'own';
  readonly same: boolean;
  readonly wait: number;
}

/** Whether the model allows an action; if so, it is done. */
function apply(model: Model, { kind, member, label, from, same, wait }: Action): boolean {
  const at = model.rounds.findIndex((labels) => labels.includes(label));
  const once = (set: Set<string>): boolean =>
    !set.has(`${label}/${member}`) && !!set.add(`${label}/${member}`);
  switch (kind) {
    case 'commit':
      return (
        model.timely && at >= 0 && model.all(model.revealed, model.rounds[at - 1]) && once(model.committed)
      );
    case 'reveal':
      return model.timely && at >= 0 && model.all(model.committed, model.rounds[at]) && once(model.revealed);
    case 'complete':
      if (!model.timely) return false;
      for (const name of model.rounds.flat())
        for (const i of MEMBERS.keys())
          for (const set of [model.committed, model.revealed]) set.add(`${name}/${i}`);
      return true;
    case 'confirm':
      if (model.state !== 'ROUND2' || model.late || model.confirmed.has(member)) return false;
      return model.all(model.revealed, ['dealingCheck']) && !!model.confirmed.set(member, same);
    case 'confirmAll':
      if (model.state !== 'ROUND2' || model.late || model.confirmed.size > 0) return false;
      if (!model.all(model.revealed, ['dealingCheck'])) return false;
      for (const i of MEMBERS.keys()) model.confirmed.set(i, true);
      return true;
    case 'advance':
      // Of another state: whoever comes second finds it moved, and changes nothing.
      if (from !== 'own' && from !== model.state) return true;
      return (ceremonyStates as readonly string[]).includes(model.state) && model.advance();
    case 'abort':
      return model.rounds.length > 0 && model.abort(model.late ? model.whoIsSilent() : undefined);
    case 'restart':
      if (model.state !== 'ABORTED') return false;
      Object.assign(model, {
        ...new Model(),
        attempt: model.attempt + 1,
        now: model.now,
        exhausted: model.exhausted,
      });
      return model.go('OPEN');
    case 'dispute':
      return (
        model.timely &&
        model.state === 'ROUND2' &&
        model.all(model.revealed, ['dealing']) &&
        model.go('DISPUTED')
      );
    case 'disclose':
      return (
        model.state === 'DISPUTED' &&
        !model.late &&
        !model.disclosed.has(member) &&
        !!model.disclosed.add(member)
      );
    case 'judge':
      if (model.state !== 'DISPUTED' || model.judged.has(member)) return false;
      return !!model.judged.set(member, same ? 1 : 0);
    case 'retire':
      if (model.state !== 'ACTIVE') return false;
      model.cause = model.now >= LIFE_MS ? 'SCHEDULE' : model.exhausted ? 'BUDGET' : 'DECISION';
      model.state = 'RETIRED';
      return true;
    case 'wait':
      model.now += wait;
      return true;
    case 'exhaust':
      return (model.exhausted = true);
  }
}

const digest = (...parts: (string | number)[]): Buffer => createHash('sha256').update(parts.join()).digest();

describe('a key epoch', () => {
  let alliance: Alliance;
  let capacity: number;
  const moves = new Set<string>();
  beforeAll(async () => {
    alliance = await Alliance.create([[], [], []], 2);
    await alliance.as(alliance.member(0), KeyEpochContract.Open, {
      epochId: EPOCH,
      parameterSet: 'toy',
      threshold: 2,
      members: MEMBERS,
      stepSeconds: STEP_MS / 1000,
      retiresAt: new Date(alliance.ledger.now + LIFE_MS).toISOString(),
    });
    const { budget } = await alliance.ask(KeyEpochContract.Get, { epochId: EPOCH });
    capacity = budget.capacity / SHARDS;
  });
  afterAll(() => alliance?.[Symbol.asyncDispose]());

  /** Of one member, in one attempt: what a commitment is to. */
  const opening = (attempt: number, member: number, label: CeremonyLabel) => {
    const value = label === 'seed' && {
      contribution: digest('contribution', attempt, member).toString('base64'),
      sealingKey: Buffer.alloc(1216, digest('key', attempt, member)).toString('base64'),
    };
    const message = value
      ? Buffer.concat([Buffer.from(value.contribution, 'base64'), Buffer.from(value.sealingKey, 'base64')])
      : digest(label, attempt, member);
    return {
      nonce: digest('nonce', label, attempt, member).toString('hex'),
      bytesHash: createHash('sha256').update(message).digest('hex'),
      ...(value && { value }),
    };
  };

  async function act(ledger: MemoryLedger, model: Model, action: Action): Promise<void> {
    const { attempt } = model;
    const { kind, member, label, from, same } = action;
    const as = (index = member) => ({ identity: alliance.member(index).agent });
    const place = { epochId: EPOCH, attempt };
    const commit = (index: number, name: CeremonyLabel) => {
      const { nonce, bytesHash } = opening(attempt, index, name);
      const sender = MEMBERS[index]!;
      const commitment = commitmentOf({ ...place, sender, label: name, nonce, bytesHash });
      return ledger.call(KeyEpochContract.Commit, { epochId: EPOCH, label: name, commitment }, as(index));
    };
    const reveal = (index: number, name: CeremonyLabel) =>
      ledger.call(
        KeyEpochContract.Reveal,
        { epochId: EPOCH, label: name, ...opening(attempt, index, name) },
        as(index),
      );
    const confirm = (index: number, alike: boolean) => {
      const hashes = { publicKeyHash: (alike ? 'a' : 'c').repeat(64), relinKeysHash: 'b'.repeat(64) };
      return ledger.call(KeyEpochContract.Confirm, { epochId: EPOCH, ...hashes }, as(index));
    };
    switch (kind) {
      case 'commit':
        await commit(member, label);
        break;
      case 'reveal':
        await reveal(member, label);
        break;
      case 'complete':
        if (!model.timely) throw new Error('there is nothing to complete');
        for (const round of model.rounds)
          for (const [done, send] of [[model.committed, commit] as const, [model.revealed, reveal] as const])
            for (const name of round)
              for (const i of MEMBERS.keys()) if (!done.has(`${name}/${i}`)) await send(i, name);
        break;
      case 'confirm':
        await confirm(member, same);
        break;
      case 'confirmAll':
        for (const i of MEMBERS.keys()) await confirm(i, true);
        break;
      case 'advance': {
        const own = model.state as (typeof ceremonyStates)[number];
        await ledger.call(
          KeyEpochContract.Advance,
          { epochId: EPOCH, from: from === 'own' ? own : from },
          as(),
        );
        break;
      }
      case 'abort':
        await ledger.call(KeyEpochContract.Abort, { epochId: EPOCH, reason: 'Enough.' }, as());
        break;
      case 'restart':
        await ledger.call(KeyEpochContract.Restart, { epochId: EPOCH }, as());
        break;
      case 'dispute':
        await ledger.call(KeyEpochContract.Dispute, { ...place, reason: 'It fails.' }, as());
        break;
      case 'disclose':
        await ledger.call(KeyEpochContract.Disclose, { ...place, disclosure: 'AAAA' }, as());
        break;
      case 'judge':
        await ledger.call(KeyEpochContract.Judge, { ...place, offenders: findings[same ? 1 : 0]! }, as());
        break;
      case 'retire':
        await ledger.call(KeyEpochContract.Retire, { epochId: EPOCH, reason: 'Its end.' }, as());
        break;
      case 'wait':
        ledger.now += action.wait;
        break;
      case 'exhaust': {
        const key = ['', 'epoch.budget', EPOCH, '03', ''].join('\0');
        const value = Buffer.from(JSON.stringify({ reserved: capacity - 10 }));
        const nothing = { response: undefined, reads: new Map(), policies: new Map(), event: undefined };
        ledger.commit({ channel: 'consortium', writes: new Map([[key, value]]), ...nothing });
      }
    }
  }

  class Command implements fc.AsyncCommand<Model, MemoryLedger> {
    constructor(readonly action: Action) {}
    check = (): boolean => true;
    toString = (): string => JSON.stringify(this.action);

    async run(model: Model, ledger: MemoryLedger): Promise<void> {
      const before = model.state;
      const done = await act(ledger, model, this.action).then(
        () => true,
        () => false,
      );
      deepStrictEqual(done, apply(model, this.action));
      const epoch = await ledger.call(
        KeyEpochContract.Get,
        { epochId: EPOCH },
        { identity: alliance.researcher },
      );
      deepStrictEqual([epoch.state, epoch.attempt], [model.state, model.attempt]);
      if (epoch.state !== before) moves.add(`${before} > ${move(epochMachine, before, epoch.state)}`);
      deepStrictEqual(
        Object.keys(epoch.confirmations),
        [...model.confirmed.keys()].sort().map((i) => MEMBERS[i]),
      );
      deepStrictEqual(
        epoch.past.map(({ attempt, state }) => [attempt, state]),
        [...Array(model.attempt - 1).keys()].map((i) => [i + 1, 'ABORTED']),
      );
      deepStrictEqual(epoch.budget.exhausted, model.exhausted);
      if (epoch.state === 'ABORTED')
        deepStrictEqual([epoch.abort?.silent, epoch.abort?.offenders], [model.silent, model.offenders]);
      deepStrictEqual(epoch.retirement?.cause, model.cause);
      if (!model.all(model.revealed, ['seed'])) deepStrictEqual(epoch.seed, undefined);
    }
  }

  const any = { member: 0, label: 'seed', from: 'own', same: true, wait: STEP_MS } as const;
  const script = (...kinds: (Action['kind'] | Partial<Action>)[]): Command[] =>
    kinds.map(
      (step) => new Command({ ...any, kind: 'wait', ...(typeof step === 'string' ? { kind: step } : step) }),
    );
  const rounds = ['complete', 'advance', 'complete', 'advance', 'complete', 'advance', 'complete'] as const;

  it('goes every way that its table has', async () => {
    const judgements = [0, 1].map((member) => ({ kind: 'judge' as const, member }));
    const late = { kind: 'wait' as const, wait: STEP_MS };
    const run = (...steps: Parameters<typeof script>) =>
      fc.asyncModelRun(() => ({ model: new Model(), real: alliance.ledger.fork() }), script(...steps));
    await run(...rounds, 'confirmAll', 'advance', 'exhaust', 'retire', 'restart', 'abort');
    await run(
      ...rounds,
      'dispute',
      'abort',
      'disclose',
      ...judgements,
      'advance',
      'restart',
      ...rounds,
      'dispute',
      late,
      'disclose',
      'advance',
      late,
      'advance',
    );
    await run(
      ...rounds,
      { kind: 'confirm' },
      { kind: 'confirm', member: 1, same: false },
      'advance',
      'restart',
      'retire',
    );
    await run(
      'abort',
      'restart',
      'complete',
      late,
      'reveal',
      'advance',
      { kind: 'commit', label: 'relin1' },
      late,
      'abort',
    );
    await run('complete', 'advance', 'complete', 'advance', 'abort', 'restart', ...rounds, 'abort');
    const table = Object.entries(epochMachine.moves).flatMap(([from, next]) =>
      next.map((to) => `${from} > ${to}`),
    );
    expect([...moves].sort()).toEqual(table.sort());
  });

  it('does what the model allows and nothing else, whatever its members do', async () => {
    const kinds = [
      'complete',
      'complete',
      'complete',
      'advance',
      'advance',
      'advance',
      'confirmAll',
      'commit',
      'reveal',
      'confirm',
      'abort',
      'restart',
      'dispute',
      'disclose',
      'judge',
      'judge',
      'retire',
      'wait',
      'exhaust',
    ] as const;
    const actions = fc.record({
      kind: fc.constantFrom(...kinds),
      member: fc.nat(MEMBERS.length - 1),
      label: fc.constantFrom(...ceremonyLabels),
      from: fc.oneof(
        { weight: 4, arbitrary: fc.constant('own' as const) },
        { weight: 1, arbitrary: fc.constantFrom(...ceremonyStates) },
      ),
      same: fc.oneof(
        { weight: 3, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: fc.constant(false) },
      ),
      wait: fc.constantFrom(STEP_MS / 2, STEP_MS, LIFE_MS),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.commands([actions.map((action) => new Command(action))], { maxCommands: 30 }),
        async (commands) => {
          await fc.asyncModelRun(() => ({ model: new Model(), real: alliance.ledger.fork() }), commands);
        },
      ),
      { numRuns: 25 },
    );
    expect((await alliance.ask(KeyEpochContract.Get, { epochId: EPOCH })).state).toBe('OPEN');
  });
});
