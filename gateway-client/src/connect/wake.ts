import { once, EventEmitter } from 'node:events';

/** Lets one loop sleep until something happened since it last looked; a call in between is never lost. */
export class Wake {
  private readonly emitter = new EventEmitter();
  private pending = false;

  /** Something happened. */
  call(): void {
    this.pending = true;
    this.emitter.emit('call');
  }

  /** Resolves when something happened since the last call of `next`, after `idleMs`, or when the signal is aborted. */
  async next(idleMs: number, signal: AbortSignal): Promise<void> {
    if (!this.pending) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(idleMs)]);
      await once(this.emitter, 'call', { signal: limit }).catch(() => undefined);
    }
    this.pending = false;
  }
}
