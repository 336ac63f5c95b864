import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChaincodeEvent, ChaincodeEventsOptions, Gateway } from '@hyperledger/fabric-gateway';
import { common } from '@hyperledger/fabric-protos';
import { eventsOf, type EventOptions, type LedgerEvent } from './events.js';
import { GatewayPeers } from './peers.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'strokeshare-events-'))));
afterEach(() => rm(folder, { recursive: true }));

/** Two events in each of three blocks. */
const chain = [1, 2, 3].flatMap((block) =>
  ['a', 'b'].map((name) => ({
    ...{ channelName: 'c', chaincodeName: 'cc', eventName: 'Job:Submit', payload: Buffer.from('{}') },
    ...{ blockNumber: BigInt(block), transactionId: `${block}${name}` },
  })),
);

/** A peer that breaks its stream off after so many events; its ledger may have fewer blocks when it is asked. */
function peers(breaksAfter = Number.POSITIVE_INFINITY, height = 4): GatewayPeers {
  const getChaincodeEvents = async (_name: string, options: ChaincodeEventsOptions = {}) => {
    const { checkpoint, startBlock = 0n } = options;
    const block = checkpoint?.getBlockNumber() ?? BigInt(startBlock as bigint);
    const seen = checkpoint?.getTransactionId();
    let events = chain.filter(({ blockNumber }) => blockNumber >= block);
    if (seen !== undefined) events = events.slice(1 + events.findIndex((e) => e.transactionId === seen));
    let closed = false;
    return {
      close: () => (closed = true),
      async *[Symbol.asyncIterator](): AsyncGenerator<ChaincodeEvent> {
        for (const [index, event] of events.entries()) {
          if (closed) return;
          if (index === breaksAfter) throw new Error('the peer went away');
          yield event;
        }
      },
    };
  };
  const evaluateTransaction = async (name: string, channel: string) => {
    expect([name, channel]).toEqual(['GetChainInfo', 'c']);
    const info = new common.BlockchainInfo();
    info.setHeight(height);
    return info.serializeBinary();
  };
  const getContract = () => ({ evaluateTransaction });
  const gateway = { getNetwork: () => ({ getChaincodeEvents, getContract }) } as unknown as Gateway;
  return new GatewayPeers([{ endpoint: 'peer:1', gateway, close: () => undefined }]);
}

/** Handles events until there were so many; the last one's handling fails where that is asked for. */
async function handle(
  from: GatewayPeers,
  count: number,
  options: EventOptions = {},
  lastFails = false,
): Promise<string[]> {
  const ending = new AbortController();
  const handled: string[] = [];
  const stream: AsyncIterable<LedgerEvent> = eventsOf(
    from,
    { channel: 'c', chaincode: 'cc', ...options },
    ending.signal,
  );
  for await (const { transactionId } of stream) {
    handled.push(transactionId);
    if (handled.length < count) continue;
    if (lastFails) break;
    // Asking for the next one says that this one was handled.
    ending.abort();
  }
  return handled;
}

test('events go on behind the last one where a peer breaks off, none twice and none left out', async () => {
  expect(await handle(peers(2), 6)).toEqual(['1a', '1b', '2a', '2b', '3a', '3b']);
  expect(await handle(peers(), 2, { from: 3n })).toEqual(['3a', '3b']);
});

test('events from now on begin with the block that comes next, which is known before the state is read', async () => {
  expect(await handle(peers(1, 3), 2, { from: 'now' })).toEqual(['3a', '3b']);
  const ending = new AbortController();
  let handled = 0;
  let before: number | undefined;
  const onBegin = (): void => void (before = handled);
  const stream = eventsOf(
    peers(1, 2),
    { channel: 'c', chaincode: 'cc', from: 'now' },
    ending.signal,
    onBegin,
  );
  for await (const _ of stream) if (++handled === 4) ending.abort();
  // Once, although the peer broke the stream off after every event.
  expect(before).toBe(0);
});

test('a program that is started again begins with what it had not finished', async () => {
  const checkpoint = join(folder, 'events.json');
  expect(await handle(peers(), 3, { checkpoint }, true)).toEqual(['1a', '1b', '2a']);
  expect(await handle(peers(1), 3, { checkpoint })).toEqual(['2a', '2b', '3a']);
  expect(await handle(peers(), 1, { checkpoint })).toEqual(['3b']);
  expect(JSON.parse(await readFile(checkpoint, 'utf8'))).toEqual({ blockNumber: '3', transactionId: '3b' });
});

test('a checkpoint that cannot be read or written ends the stream with a sentence', async () => {
  const checkpoint = join(folder, 'events.json');
  await writeFile(checkpoint, '{"block":1}');
  await expect(handle(peers(), 1, { checkpoint })).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
  await expect(
    handle(peers(), 2, { checkpoint: join(folder, 'nowhere', 'events.json') }),
  ).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
});
