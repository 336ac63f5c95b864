import { status } from '@grpc/grpc-js';
import { checkpointers, type ChaincodeEvent, type CloseableAsyncIterable } from '@hyperledger/fabric-gateway';
import { type Bed, text } from '../harness/bed.js';
import { failure } from '../harness/failure.js';
import { chaincodes, shared } from '../harness/layout.js';
import { impostor } from '../harness/pki.js';

/** Reads events until there are as many as asked for, and closes the session. */
async function take<T>(events: CloseableAsyncIterable<T>, count: number): Promise<T[]> {
  const seen: T[] = [];
  try {
    for await (const event of events) {
      seen.push(event);
      if (seen.length === count) break;
    }
  } finally {
    events.close();
  }
  return seen;
}

const brief = ({ eventName, payload }: ChaincodeEvent): [string, string] => [eventName, text(payload)];

/** Events of chaincodes. */
export function events(bed: () => Bed): void {
  async function emit(name: string, payload: string): Promise<{ block: bigint; txId: string }> {
    const commit = await bed()
      .contract()
      .submitAsync('Calls:emit', { arguments: [name, payload] });
    const { blockNumber } = await commit.getStatus();
    return { block: blockNumber, txId: commit.getTransactionId() };
  }

  const eventsFrom = (startBlock: bigint, chaincode = 'everything') =>
    bed().network().getChaincodeEvents(chaincode, { startBlock });

  it('delivers an event with its transaction and block', async () => {
    const { block, txId } = await emit('told', 'payload');
    const [event] = await take(await eventsFrom(block), 1);
    expect(event).toMatchObject({
      chaincodeName: 'everything',
      eventName: 'told',
      transactionId: txId,
      blockNumber: block,
    });
    expect(text(event?.payload ?? new Uint8Array())).toBe('payload');
  });

  it('delivers events from now on to a client that names no block', async () => {
    const session = await bed().network().getChaincodeEvents('everything');
    // The session begins with whatever is committed next; asking for a status makes sure that it has begun.
    const name = bed().unique('live');
    const seen = take(session, 1);
    await emit(name, 'now');
    expect((await seen)[0]?.eventName).toBeDefined();
  });

  it('replays events in their order and goes on with new ones', async () => {
    const name = bed().unique('replayed');
    const { block } = await emit(name, '1');
    await emit(name, '2');
    const seen = take(await eventsFrom(block), 3);
    await emit(name, '3');
    expect((await seen).map(brief)).toEqual([
      [name, '1'],
      [name, '2'],
      [name, '3'],
    ]);
  });

  it('resumes after a checkpointed transaction', async () => {
    const name = bed().unique('checkpoint');
    const checkpointer = checkpointers.inMemory();
    const { block } = await emit(name, '1');
    await emit(name, '2');
    await emit(name, '3');
    for (const event of await take(await eventsFrom(block), 2))
      await checkpointer.checkpointChaincodeEvent(event);
    const resumed = await bed().network().getChaincodeEvents('everything', { checkpoint: checkpointer });
    expect((await take(resumed, 1)).map(brief)).toEqual([[name, '3']]);
  });

  it('resumes within a block', async () => {
    const name = bed().unique('same block');
    const codes = await bed().race(
      ['Calls:emit', `${name}-a`, 'a'],
      ['Calls:emit', `${name}-b`, 'b'],
      ['Calls:emit', `${name}-c`, 'c'],
    );
    expect(codes).toEqual([0, 0, 0]);
    const history = (await bed().query('Queries:history', `emitted ${name}-a`)) as { txId: string }[];
    const first = await bed()
      .raw()
      .commitStatus(history[0]?.txId ?? '', shared, bed().pki.user('Org1MSP'));
    const [a] = await take(await eventsFrom(BigInt(first.block)), 1);
    const checkpointer = checkpointers.inMemory();
    if (a) await checkpointer.checkpointChaincodeEvent(a);
    const resumed = await bed().network().getChaincodeEvents('everything', { checkpoint: checkpointer });
    expect((await take(resumed, 2)).map(brief)).toEqual([
      [`${name}-b`, 'b'],
      [`${name}-c`, 'c'],
    ]);
  });

  it('gives the last of two events of a transaction', async () => {
    const commit = await bed().contract().submitAsync('Calls:emitTwice');
    const { blockNumber } = await commit.getStatus();
    const { block } = await emit('after', 'x');
    const seen = await take(await eventsFrom(blockNumber), 2);
    expect(seen.map(({ eventName }) => eventName)).toEqual(['second', 'after']);
    expect(block).toBeGreaterThan(blockNumber - 1n);
  });

  it('delivers an event of a transaction that writes nothing', async () => {
    const name = bed().unique('silent');
    const commit = await bed()
      .contract()
      .submitAsync('Calls:emitWithoutWriting', { arguments: [name] });
    const { blockNumber, successful } = await commit.getStatus();
    expect(successful).toBe(true);
    expect((await take(await eventsFrom(blockNumber), 1)).map(brief)).toEqual([[name, 'nothing written']]);
  });

  it('delivers no event of an invalid transaction', async () => {
    const [name, key] = [bed().unique('loser'), bed().unique('contended')];
    const codes = await bed().race(
      ['Calls:emitAndRead', `${name}-wins`, key],
      ['Calls:emitAndRead', `${name}-loses`, key],
    );
    expect(codes).toEqual([0, 11]);
    const history = (await bed().query('Queries:history', key)) as { txId: string }[];
    const winner = await bed()
      .raw()
      .commitStatus(history[0]?.txId ?? '', shared, bed().pki.user('Org1MSP'));
    await emit(`${name}-after`, 'x');
    const seen = await take(await eventsFrom(BigInt(winner.block)), 2);
    expect(seen.map(({ eventName }) => eventName)).toEqual([`${name}-wins`, `${name}-after`]);
  });

  it('delivers no event of a transaction that threw', async () => {
    const name = bed().unique('thrown');
    const { block } = await emit(`${name}-before`, 'x');
    await failure(bed().submit('Calls:emitAndFail', name));
    await emit(`${name}-after`, 'x');
    const seen = await take(await eventsFrom(block), 2);
    expect(seen.map(({ eventName }) => eventName)).toEqual([`${name}-before`, `${name}-after`]);
  });

  it('delivers no event of an evaluation', async () => {
    const name = bed().unique('evaluated');
    const { block } = await emit(`${name}-before`, 'x');
    await bed().evaluate('Calls:emit', name, 'x');
    await emit(`${name}-after`, 'x');
    const seen = await take(await eventsFrom(block), 2);
    expect(seen.map(({ eventName }) => eventName)).toEqual([`${name}-before`, `${name}-after`]);
  });

  it('keeps the events of chaincodes apart', async () => {
    const name = bed().unique('apart');
    const { block } = await emit(name, 'of everything');
    const neighbour = bed().contract(chaincodes.neighbour);
    await neighbour.submitTransaction('Calls:emit', name, 'of the neighbour');
    const [event] = await take(await eventsFrom(block, 'neighbour'), 1);
    expect(event?.chaincodeName).toBe('neighbour');
    expect(text(event?.payload ?? new Uint8Array())).toBe('of the neighbour');
  });

  it("gives the caller's event where a called chaincode sets one, too", async () => {
    const name = bed().unique('caller');
    const called = JSON.stringify(['Calls:emit', `${name}-called`, 'x']);
    const commit = await bed()
      .contract()
      .submitAsync('Calls:emitAndCall', { arguments: [name, 'neighbour', called] });
    const { blockNumber, successful } = await commit.getStatus();
    expect(successful).toBe(true);
    const [event] = await take(await eventsFrom(blockNumber), 1);
    expect(event && brief(event)).toEqual([name, 'of the caller']);
  });

  it('lets one session end while another goes on', async () => {
    const name = bed().unique('sessions');
    const { block } = await emit(name, '1');
    const staying = take(await eventsFrom(block), 2);
    const leaving = await eventsFrom(block);
    await take(leaving, 1);
    await emit(name, '2');
    expect((await staying).map(brief)).toEqual([
      [name, '1'],
      [name, '2'],
    ]);
  });

  it('lets an organisation without a peer listen', async () => {
    const name = bed().unique('heard');
    const { block } = await emit(name, 'x');
    const theirs = bed().network(shared, { as: 'Research1MSP', via: 'Org2MSP' });
    const [event] = await take(await theirs.getChaincodeEvents('everything', { startBlock: block }), 1);
    expect(event?.eventName).toBe(name);
  });

  it('refuses a session on a channel that is not there', async () => {
    const session = await bed().network('absent').getChaincodeEvents('everything', { startBlock: 0n });
    const refused = await failure(take(session, 1));
    expect(refused).toEqual({
      code: status.PERMISSION_DENIED,
      text: 'Failed to get policy manager for channel [absent]',
      details: [],
    });
  });

  it('refuses a session of an organisation that is not a member', async () => {
    const theirs = bed().network('confined', { as: 'Org2MSP', via: 'Org1MSP' });
    const refused = await failure(take(await theirs.getChaincodeEvents('confined', { startBlock: 0n }), 1));
    expect(refused.code).toBe(status.PERMISSION_DENIED);
  });

  it('refuses a session of an impostor', async () => {
    const stranger = bed().gateway({ identity: await impostor('Org1MSP', 'client') });
    const session = await stranger.getNetwork(shared).getChaincodeEvents('everything', { startBlock: 0n });
    const refused = await failure(take(session, 1));
    stranger.close();
    expect(refused.code).toBe(status.PERMISSION_DENIED);
  });

  it('has no events of a chaincode that is not there, but the session stands', async () => {
    const session = await bed().network().getChaincodeEvents('missing', { startBlock: 0n });
    const first = session[Symbol.asyncIterator]().next();
    await emit(bed().unique('other'), 'x');
    session.close();
    await expect(failure(first)).resolves.toMatchObject({ code: status.CANCELLED });
  });
}
