/**
 * Agreements, their versions and permissions against a model of their own, by random sequences of what owners can do:
 * the contract does exactly what the model allows, and every state changes along its table. On a failure fast-check
 * prints the seed and the shortest sequence.
 */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import {
  type AgreementState,
  consortium,
  type PermissionState,
  signDetached,
  type VersionState,
} from '../src/index.js';
import { move } from '../src/states/machine.js';
import { agreementMachine, agreementVersionMachine, permissionMachine } from '../src/states/machines.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { type MemoryLedger } from './support/memoryLedger.js';

const { AgreementContract, PermissionContract } = consortium;
const DAY = 86_400_000;
const OWNERS = 3;
const NAME = { agreementId: 'agreement-m' };
const PERIOD_DAYS = 30;

/** What a model keeps of one version. */
interface ModelVersion {
  readonly until: number;
  readonly signed: Set<number>;
  readonly refused: Set<number>;
}

class Model {
  readonly versions: ModelVersion[];
  /** The version that all owners have signed last. */
  inForce: number | undefined;
  readonly suspended = new Set<number>();
  terminated = false;

  constructor(
    public now: number,
    readonly until: number,
  ) {
    this.versions = [fresh(until)];
  }

  get latest(): ModelVersion {
    return this.versions.at(-1)!;
  }

  state(): AgreementState {
    const version = this.versions[this.inForce ?? 0]!;
    if (this.inForce === undefined && version.refused.size > 0) return 'REFUSED';
    if (this.terminated) return 'TERMINATED';
    if (this.now >= version.until) return 'EXPIRED';
    if (this.inForce === undefined) return 'PROPOSED';
    return this.suspended.size > 0 ? 'SUSPENDED' : 'ACTIVE';
  }

  permission(): PermissionState {
    const states: Record<AgreementState, PermissionState> = {
      PROPOSED: 'REQUESTED',
      ACTIVE: 'GRANTED',
      SUSPENDED: 'SUSPENDED',
      TERMINATED: 'REVOKED',
      EXPIRED: 'EXPIRED',
      REFUSED: 'DENIED',
    };
    const state = states[this.state()];
    return this.now >= this.until && state !== 'REVOKED' ? 'EXPIRED' : state;
  }

  version(index: number): VersionState {
    if (index === this.inForce) return 'IN_FORCE';
    if (index < this.versions.length - 1) return 'SUPERSEDED';
    return this.versions[index]!.refused.size > 0 ? 'REFUSED' : 'PROPOSED';
  }

  get live(): boolean {
    return this.state() === 'ACTIVE' || this.state() === 'SUSPENDED';
  }

  /** Whether an owner may sign or refuse the latest version. */
  open(owner: number): boolean {
    const { signed, refused, until } = this.latest;
    const base = this.inForce === undefined || this.live;
    return base && !signed.has(owner) && refused.size === 0 && this.now < until;
  }
}

const fresh = (until: number): ModelVersion => ({ until, signed: new Set(), refused: new Set() });

interface Action {
  readonly kind: 'sign' | 'refuse' | 'suspend' | 'resume' | 'terminate' | 'amend' | 'wait';
  readonly owner: number;
  readonly days: number;
}

/** Whether the model allows an action; if so, it is done. */
function apply(model: Model, { kind, owner, days }: Action): boolean {
  switch (kind) {
    case 'wait':
      model.now += days * DAY;
      return true;
    case 'sign':
    case 'refuse': {
      if (!model.open(owner)) return false;
      const { signed, refused } = model.latest;
      (kind === 'sign' ? signed : refused).add(owner);
      if (signed.size === OWNERS) model.inForce = model.versions.length - 1;
      return true;
    }
    case 'suspend':
    case 'resume':
      if (!model.live || model.suspended.has(owner) === (kind === 'suspend')) return false;
      if (kind === 'suspend') model.suspended.add(owner);
      else model.suspended.delete(owner);
      return true;
    case 'terminate':
      if (!model.live) return false;
      model.terminated = true;
      return true;
    case 'amend':
      if (!model.live) return false;
      model.versions.push(fresh(model.until - days * DAY));
      return true;
  }
}

describe('agreements, their versions and permissions', () => {
  let alliance: Alliance;
  let begin: number;
  beforeAll(async () => {
    alliance = await Alliance.create([cohort(5, 1), cohort(5, 2), cohort(5, 3)], 2);
    await alliance.makeKey();
    await alliance.shareRecords();
    begin = alliance.ledger.now;
    await alliance.request('m', { until: new Date(begin + PERIOD_DAYS * DAY).toISOString() });
    await alliance.propose('m');
  });
  afterAll(() => alliance?.[Symbol.asyncDispose]());

  const read = async (ledger: MemoryLedger) => {
    const reader = { identity: alliance.researcher };
    const agreement = await ledger.call(AgreementContract.Get, NAME, reader);
    const { state } = await ledger.call(PermissionContract.Get, { permissionId: 'permission-m' }, reader);
    return { agreement, permission: state };
  };

  /** Does it on the ledger; false where the contract refuses. */
  async function act(ledger: MemoryLedger, { kind, owner, days }: Action): Promise<boolean> {
    const member = alliance.member(owner);
    const as = { identity: member.agent };
    const { agreement } = await read(ledger);
    const request = { ...NAME, reason: 'As agreed.' };
    try {
      if (kind === 'wait') ledger.now += days * DAY;
      else if (kind === 'sign') {
        const { content } = agreement.amendment ?? agreement;
        const signature = signDetached(content, member.signing);
        await ledger.call(AgreementContract.Sign, { ...NAME, signature }, as);
      } else if (kind === 'refuse') await ledger.call(AgreementContract.Refuse, request, as);
      else if (kind === 'suspend') await ledger.call(AgreementContract.Suspend, request, as);
      else if (kind === 'resume') await ledger.call(AgreementContract.Resume, NAME, as);
      else if (kind === 'terminate') await ledger.call(AgreementContract.Terminate, request, as);
      else {
        const until = new Date(begin + (PERIOD_DAYS - days) * DAY).toISOString();
        const terms = { textHash: '2'.repeat(64), terms: '', grant: { until } };
        await ledger.call(AgreementContract.Amend, { ...NAME, ...terms }, as);
      }
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
      const before = [
        model.state(),
        model.permission(),
        model.versions.map((_, i) => model.version(i)),
      ] as const;
      deepStrictEqual(await act(ledger, this.action), apply(model, this.action));
      const after = await read(ledger);
      deepStrictEqual([after.agreement.state, after.permission], [model.state(), model.permission()]);
      if (before[0] !== model.state()) move(agreementMachine, before[0], after.agreement.state);
      if (before[1] !== model.permission()) move(permissionMachine, before[1], after.permission);
      for (const [index, earlier] of before[2].entries()) {
        const request = { ...NAME, version: index + 1 };
        const { versionState } = await ledger.call(AgreementContract.Version, request, {
          identity: alliance.researcher,
        });
        deepStrictEqual(versionState, model.version(index));
        if (earlier !== versionState) move(agreementVersionMachine, earlier, versionState);
      }
    }
  }

  // Signing is drawn more often, so that agreements and amendments become active.
  const kinds = fc.constantFrom(
    ...(['sign', 'sign', 'sign', 'sign', 'sign', 'sign', 'amend', 'amend', 'refuse'] as const),
    ...(['suspend', 'resume', 'terminate', 'wait'] as const),
  );
  const actions = fc.record({
    kind: kinds,
    owner: fc.nat(OWNERS - 1),
    days: fc.integer({ min: 1, max: 9 }),
  });

  it('do what the model allows and nothing else, whatever owners do in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.commands([actions.map((action) => new Command(action))], { maxCommands: 25 }),
        async (commands) => {
          const setup = () => ({
            model: new Model(begin, begin + PERIOD_DAYS * DAY),
            real: alliance.ledger.fork(),
          });
          await fc.asyncModelRun(setup, commands);
        },
      ),
      { numRuns: 25 },
    );
    expect(await read(alliance.ledger)).toMatchObject({ permission: 'REQUESTED' });
  });
});
