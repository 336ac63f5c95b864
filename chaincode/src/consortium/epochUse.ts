/** Whether a key epoch may be used: it is active, and its time has not run out. */
import { type Epoch, type EpochState } from '../api/epochs.js';
import { requireState } from '../states/machine.js';

/** An active epoch reads as retired from the agreed instant on, even before a member stores that. */
export function epochState({ state, retiresAt }: Epoch, now: number): EpochState {
  return state === 'ACTIVE' && retiresAt !== undefined && now >= Date.parse(retiresAt) ? 'RETIRED' : state;
}

/** @throws ContractError ILLEGAL_STATE */
export function requireUsable(epoch: Epoch, now: number): void {
  requireState('key epoch', epochState(epoch, now), ['ACTIVE']);
}
