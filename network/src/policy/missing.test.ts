import { endorsedAndMissing } from './missing.js';

describe('missing endorsers', () => {
  const twoOfThree = [
    ['A', 'B'],
    ['A', 'C'],
    ['B', 'C'],
  ];

  it.each([
    [twoOfThree, ['A'], 'endorsed by A; missing: B, or C'],
    [[['A', 'B', 'C']], ['B'], 'endorsed by B; missing: A and C'],
    [twoOfThree, [], 'endorsed by nobody; missing: A and B, or A and C, or B and C'],
    [[], ['A'], 'endorsed by A; missing: nobody who could be asked'],
  ])('of %j with %j are named', (sets, endorsed, text) => {
    expect(endorsedAndMissing(sets, endorsed)).toBe(text);
  });
});
