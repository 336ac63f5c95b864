import { privateRecords } from '../src/index.js';
import { type Identity, identity } from './support/identities.js';
import { MemoryLedger } from './support/memoryLedger.js';

const { AnchorJournal, GetJournalAnchor, ListJournalAnchors } = privateRecords.RecordsContract;
const CHANNEL = 'hospital1-records';
const head = (letter: string): string => letter.repeat(64);

describe('anchors of the access journal', () => {
  let ledger: MemoryLedger;
  let agent: Identity;
  beforeEach(async () => {
    ledger = new MemoryLedger();
    agent = await identity('Hospital1MSP', 'agent', 'institution');
  });
  const anchor = (sequence: number, letter: string) =>
    ledger.call(AnchorJournal, { sequence, head: head(letter) }, { identity: agent }, CHANNEL);
  const read = (sequence?: number) =>
    ledger.call(GetJournalAnchor, sequence === undefined ? {} : { sequence }, { identity: agent }, CHANNEL);

  it('are kept in the order of their numbers, the last one on top', async () => {
    await expect(read()).rejects.toThrow('NOT_FOUND');
    for (const [sequence, letter] of [
      [2, 'a'],
      [10, 'b'],
      [100, 'c'],
    ] as const)
      await anchor(sequence, letter);
    expect(await read()).toMatchObject({ sequence: 100, head: head('c') });
    expect(await read(2)).toMatchObject({ sequence: 2, head: head('a') });
    const { items, next } = await ledger.call(ListJournalAnchors, { limit: 2 }, { identity: agent }, CHANNEL);
    expect(items.map(({ sequence }) => sequence)).toEqual([2, 10]);
    const rest = await ledger.call(ListJournalAnchors, { after: next! }, { identity: agent }, CHANNEL);
    expect(rest.items.map(({ sequence }) => sequence)).toEqual([100]);
  });

  it('show a journal that was rewritten: no second head, no way back; a repeated call is no change', async () => {
    await anchor(5, 'a');
    await anchor(9, 'b');
    await expect(anchor(9, 'c')).rejects.toThrow('HASH_MISMATCH');
    await expect(anchor(5, 'c')).rejects.toThrow('HASH_MISMATCH');
    await expect(anchor(7, 'c')).rejects.toThrow('ILLEGAL_STATE');
    await expect(anchor(0, 'c')).rejects.toThrow('BAD_REQUEST');
    const before = ledger.state(CHANNEL);
    ledger.now += 1000;
    await expect(anchor(5, 'a')).resolves.toMatchObject({ sequence: 5 });
    expect(ledger.state(CHANNEL)).toEqual(before);
  });
});
