import fc from 'fast-check';
import { type Agreement } from '../api/permissions.js';
import { agreementState, permissionState } from '../consortium/agreementState.js';
import { effectiveState } from '../consortium/jobState.js';
import { type Machine, move } from './machine.js';
import {
  agreementMachine,
  epochMachine,
  jobMachine,
  motionMachine,
  permissionMachine,
  researcherMachine,
} from './machines.js';

const machines: Machine<string>[] = [
  motionMachine,
  researcherMachine,
  epochMachine,
  agreementMachine,
  permissionMachine,
  jobMachine,
];

describe('state machines', () => {
  it.each(machines.map((machine) => [machine.record, machine] as const))(
    'of a %s allow listed moves only',
    (_name, machine) => {
      const states = Object.keys(machine.moves);
      const accepts = (from: string, to: string): boolean => {
        try {
          return move(machine, from, to) === to;
        } catch {
          return false;
        }
      };
      for (const from of states)
        expect(states.filter((to) => accepts(from, to)).sort()).toEqual(
          [...(machine.moves[from] ?? [])].sort(),
        );
    },
  );

  it.each(machines.map((machine) => [machine.record, machine] as const))(
    'of a %s reach every state',
    (_name, machine) => {
      const reached = new Set(machine.initial);
      for (const state of reached) for (const next of machine.moves[state] ?? []) reached.add(next);
      expect([...reached].sort()).toEqual(Object.keys(machine.moves).sort());
    },
  );
});

/** What can happen to an agreement: an owner signs, one refuses, time passes. */
type Happening =
  | { kind: 'sign' | 'refuse' | 'suspend' | 'resume' | 'terminate'; owner: string }
  | { kind: 'wait'; days: number };
const OWNERS = ['A', 'B', 'C'];
const DAY = 86_400_000;
const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    fc.record({
      // Signing is drawn more often, so that agreements become active.
      kind: fc.constantFrom(
        ...(['sign', 'sign', 'sign', 'sign', 'refuse', 'suspend', 'resume', 'terminate'] as const),
      ),
      owner: fc.constantFrom(...OWNERS),
    }),
    fc.record({ kind: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 4 }) }),
  ),
  { maxLength: 20 },
);

describe('computed states', () => {
  it('of agreement and permission follow their tables, whatever happens', () => {
    const permission = { from: new Date(0).toISOString(), until: new Date(10 * DAY).toISOString() };
    const agreement = { content: { owners: OWNERS, permission } } as unknown as Agreement;
    fc.assert(
      fc.property(happenings, (list) => {
        const signed = new Set<string>();
        const refused = new Set<string>();
        let now = 0;
        const suspended = new Set<string>();
        const terminated = new Set<string>();
        const stateNow = () =>
          agreementState(
            agreement,
            {
              signed: [...signed],
              refused: [...refused],
              suspended: [...suspended],
              terminated: [...terminated],
            },
            now,
          );
        let state = stateNow();
        let granted = permissionState(permission, state, now);
        for (const event of list) {
          // As the contract does: no slot changes once the agreement is decided or the owner has signed.
          if (event.kind === 'wait') now += event.days * DAY;
          else if (event.kind === 'sign' || event.kind === 'refuse') {
            if (state === 'PROPOSED' && !signed.has(event.owner))
              (event.kind === 'sign' ? signed : refused).add(event.owner);
          } else if (state === 'ACTIVE' || state === 'SUSPENDED') {
            if (event.kind === 'suspend') suspended.add(event.owner);
            if (event.kind === 'resume') suspended.delete(event.owner);
            if (event.kind === 'terminate') terminated.add(event.owner);
          }
          const next = stateNow();
          if (next !== state) move(agreementMachine, state, next);
          const nextGranted = permissionState(permission, next, now);
          if (nextGranted !== granted) move(permissionMachine, granted, nextGranted);
          [state, granted] = [next, nextGranted];
        }
      }),
    );
  });

  it('of a job is FAILED at the posting deadline without a quorum, and only before the sums', () => {
    const job = {
      deadline: new Date(2 * DAY).toISOString(),
      postingDeadline: new Date(DAY).toISOString(),
      quorum: 2,
    };
    expect(effectiveState({ ...job, state: 'SUBMITTED' }, 1, DAY - 1)).toBe('EVALUATING');
    expect(effectiveState({ ...job, state: 'SUBMITTED' }, 1, DAY)).toBe('FAILED');
    expect(effectiveState({ ...job, state: 'SUBMITTED' }, 2, DAY)).toBe('EVALUATING');
    expect(effectiveState({ ...job, state: 'AGGREGATED' }, 1, DAY)).toBe('AGGREGATED');
  });

  it('of a job are EVALUATING from the first partials and FAILED from the deadline, unless it has ended', () => {
    const deadline = new Date(DAY).toISOString();
    const time = { deadline, postingDeadline: deadline, quorum: 2 };
    expect(effectiveState({ state: 'SUBMITTED', ...time }, 0, 0)).toBe('SUBMITTED');
    expect(effectiveState({ state: 'SUBMITTED', ...time }, 1, 0)).toBe('EVALUATING');
    for (const state of ['SUBMITTED', 'AGGREGATED', 'COUNTED'] as const)
      expect(effectiveState({ state, ...time }, 1, DAY)).toBe('FAILED');
    for (const state of ['RELEASED', 'SUPPRESSED', 'REFUSED', 'CANCELLED'] as const)
      expect(effectiveState({ state, ...time }, 1, DAY)).toBe(state);
  });
});
