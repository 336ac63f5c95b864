/** What every step of a party's ceremony rests on: its place in the order of steps, and what it has sent. */
import { sha256Hex } from '../bytes/canonical.js';
import { FheError } from '../errors.js';
import type { MessageLabel, Roster } from './message.js';

export type Messages = ReadonlyMap<string, Uint8Array>;

/** Steps that make messages, in their order; the dealing check comes in between for those who make it. */
const steps = ['publicKeyShare', 'relinRound1', 'relinRound2', 'dealings', 'finish'] as const;
export type Step = (typeof steps)[number];

export class CeremonySteps {
  private readonly sent = new Map<MessageLabel, string>();
  private position = 0;
  private closed = false;

  constructor(
    private readonly roster: Roster,
    readonly self: string,
  ) {}

  get isClosed(): boolean {
    return this.closed;
  }

  close(): void {
    this.closed = true;
  }

  requireOpen(): void {
    if (this.closed) throw new FheError('DISPOSED', 'This ceremony has been erased.');
  }

  /** @throws FheError CEREMONY_STEP_INVALID, DISPOSED */
  require(step: Step): void {
    this.requireOpen();
    const due = steps[this.position];
    if (due === step) return;
    throw new FheError(
      'CEREMONY_STEP_INVALID',
      due ? `${step} is not due; the next step is ${due}.` : `${step} is not due; the ceremony has finished.`,
    );
  }

  passed(step: Step): boolean {
    return this.position > steps.indexOf(step);
  }

  /** Moves behind a step, or back before it if its work failed. */
  complete(step: Step): void {
    this.position = steps.indexOf(step) + 1;
  }

  undo(step: Step): void {
    this.position = steps.indexOf(step);
  }

  remember(label: MessageLabel, blob: Uint8Array): Uint8Array {
    this.sent.set(label, sha256Hex(blob));
    return blob;
  }

  /** This party's own message must be among the others' as it was sent. */
  requireOwn(label: MessageLabel, messages: Messages): void {
    const own = messages.get(this.self);
    if (!own || sha256Hex(own) !== this.sent.get(label)) throw this.changed(`${label} message`);
  }

  changed(what: string): FheError {
    const sender = this.self;
    return new FheError('CEREMONY_MESSAGE_INVALID', `The ${what} of ${sender} is not the one that it sent.`, {
      sender,
    });
  }

  /** Every message must have the hash that it had when this party used it. */
  requireUnchanged(label: MessageLabel, messages: Messages, hashes: readonly string[]): void {
    for (const [i, sender] of this.roster.members.entries()) {
      if (sha256Hex(messages.get(sender) as Uint8Array) === hashes[i]) continue;
      throw new FheError('CEREMONY_MESSAGE_INVALID', `The ${label} message of ${sender} changed.`, {
        sender,
      });
    }
  }
}
