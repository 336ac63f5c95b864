import { ClientError } from '../errors.js';
import { LedgerError } from './ledger-error.js';
import { withRetries } from './retry.js';

const conflict = (): LedgerError =>
  new LedgerError('COMMIT_FAILED', 'Lost the race.', { stage: 'commit', safeToRetry: true });

test('tries again what is safe, with what is left of the time', async () => {
  const left: number[] = [];
  const result = await withRetries(
    async (remainingMs) => {
      left.push(remainingMs);
      if (left.length < 3) throw conflict();
      return 'done';
    },
    { totalMs: 10_000 },
  );
  expect(result).toBe('done');
  expect(left).toHaveLength(3);
  expect(left[0]).toBeGreaterThan(left[2]!);
});

test('never tries again what may have been written', async () => {
  let tries = 0;
  const work = async (): Promise<never> => {
    tries += 1;
    throw new LedgerError('UNAVAILABLE', 'Gone.', { stage: 'commit', safeToRetry: false });
  };
  await expect(withRetries(work, { totalMs: 10_000 })).rejects.toMatchObject({ message: 'Gone.' });
  expect(tries).toBe(1);
});

test('throws the last error once the time is over', async () => {
  const started = Date.now();
  await expect(withRetries(() => Promise.reject(conflict()), { totalMs: 150 })).rejects.toMatchObject({
    code: 'COMMIT_FAILED',
  });
  expect(Date.now() - started).toBeLessThan(1_000);
});

test('a signal ends the waiting and what comes after it', async () => {
  const controller = new AbortController();
  const work = async (): Promise<never> => {
    controller.abort();
    throw conflict();
  };
  await expect(withRetries(work, { totalMs: 60_000, signal: controller.signal })).rejects.toMatchObject({
    code: 'CANCELLED',
  });
  await expect(
    withRetries(() => Promise.resolve(1), { totalMs: 1, signal: controller.signal }),
  ).rejects.toBeInstanceOf(ClientError);
});

test('an error that time seldom mends is not repeated for as long as the call has', async () => {
  let tries = 0;
  const missing = (): Promise<never> => {
    tries += 1;
    return Promise.reject(
      new LedgerError('CHAINCODE_MISSING', 'Nobody.', {
        stage: 'endorse',
        safeToRetry: true,
        patienceMs: 60,
      }),
    );
  };
  await expect(withRetries(missing, { totalMs: 60_000 })).rejects.toMatchObject({ message: 'Nobody.' });
  expect(tries).toBeLessThan(4);
});
