import { effectiveState } from '../consortium/jobState.js';
import { type Machine, move } from './machine.js';
import {
  agreementMachine,
  agreementVersionMachine,
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
  agreementVersionMachine,
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

const DAY = 86_400_000;

describe('computed states', () => {
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
