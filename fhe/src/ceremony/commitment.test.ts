import { FheError } from '../errors.js';
import { commitment, epochSeed } from './commitment.js';

const content = {
  epochId: 'e1',
  attempt: 0,
  sender: 'Hospital1MSP',
  label: 'relin1',
  nonce: 'ab'.repeat(32),
  bytesHash: 'cd'.repeat(32),
} as const;

describe('commitment', () => {
  it('binds every field and ignores their order and company', () => {
    const reordered = Object.fromEntries(Object.entries(content).toReversed()) as unknown as typeof content;
    expect(commitment({ ...reordered, other: 1 } as typeof content)).toBe(commitment(content));
    const others = [
      { epochId: 'e2' },
      { attempt: 1 },
      { sender: 'Hospital2MSP' },
      { label: 'relin2' as const },
      { nonce: 'ac'.repeat(32) },
      { bytesHash: 'ce'.repeat(32) },
    ].map((change) => commitment({ ...content, ...change }));
    expect(new Set([...others, commitment(content)]).size).toBe(7);
  });

  it('refuses nonces and hashes of another form', () => {
    expect(() => commitment({ ...content, nonce: 'AB'.repeat(32) })).toThrow(FheError);
    expect(() => commitment({ ...content, bytesHash: '' })).toThrow(FheError);
  });
});

describe('epochSeed', () => {
  const reveals = [
    { sender: 'B', contribution: new Uint8Array(32).fill(2) },
    { sender: 'A', contribution: new Uint8Array(32).fill(1) },
  ];

  it('depends on every contribution and its sender, not on the order', () => {
    const seed = epochSeed(reveals);
    expect(epochSeed(reveals.toReversed())).toEqual(seed);
    const swapped = reveals.map(({ sender }, i) => ({
      sender,
      contribution: new Uint8Array(32).fill(1 + i),
    }));
    expect(epochSeed(swapped)).not.toEqual(seed);
  });

  it('names who sent a wrong or a second contribution', () => {
    const wrong = { sender: 'C', contribution: new Uint8Array(31) };
    expect(() => epochSeed([...reveals, wrong])).toThrow(expect.objectContaining({ sender: 'C' }));
    expect(() =>
      epochSeed([...reveals, { ...wrong, sender: 'A', contribution: new Uint8Array(32) }]),
    ).toThrow(expect.objectContaining({ sender: 'A' }));
    expect(() => epochSeed([])).toThrow(FheError);
  });
});
