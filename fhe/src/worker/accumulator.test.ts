import { buildCiphertext, parseCiphertext } from '../bytes/index.js';
import { parameterSet } from '../params/index.js';
import { generateLocalKeys, type SealCiphertext, SealContext } from '../seal/index.js';
import { Accumulator } from './accumulator.js';
import { CiphertextKernel } from './kernel.js';

const set = parameterSet('toy');
const primes = 3;

async function world() {
  const context = await SealContext.for(set);
  const keys = await generateLocalKeys(set);
  using publicKey = context.loadPublicKey(keys.publicKey);
  const encryptor = context.encryptor(publicKey);
  return { context, encryptor };
}

const wordsOf = (ciphertext: SealCiphertext) => parseCiphertext(ciphertext.save(), set).words;

/** The words of a ciphertext whose words are as large as they can be. */
function largest(): BigUint64Array {
  const limbs = set.primes.slice(0, set.dataPrimes).map((prime) => prime - 1n);
  const words = new BigUint64Array(2 * set.dataPrimes * set.polyModulusDegree);
  return words.map((_, i) => limbs[Math.floor(i / set.polyModulusDegree) % set.dataPrimes]!);
}

test('sums of products and of columns are the words that SEAL gives', async () => {
  const { context, encryptor } = await world();
  const { evaluator } = context;
  const accumulator = new Accumulator(set, new CiphertextKernel());
  const other = new Accumulator(set, new CiphertextKernel());
  const sums: Record<string, SealCiphertext> = {};
  const addTo = (name: string, term: SealCiphertext) => {
    const sum = sums[name];
    if (sum) evaluator.addInPlace(sum, term);
    else sums[name] = term.clone();
  };
  // More batches than a sum holds without a reduction between them.
  for (let batch = 0; batch < 150; batch++) {
    const [a, b] = [0, 1].map(() => {
      const words = largest();
      if (batch % 3 > 0) {
        using plaintext = context.encode(new Float64Array(set.slots).fill(batch / 150));
        using fresh = encryptor.encrypt(plaintext);
        words.set(wordsOf(fresh));
      }
      return words;
    }) as [BigUint64Array, BigUint64Array];
    const target = batch % 2 === 0 ? accumulator : other;
    target.put('a', a);
    target.put('b', b);
    target.add('ab', primes, 'a', 'b');
    target.add('aa', primes, 'a', 'a');
    target.add('a', 2, 'a');
    target.endBatch();
    const load = (words: BigUint64Array) =>
      context.loadCiphertext(
        buildCiphertext(set, { size: 2, primes: set.dataPrimes, scale: 2 ** 70, words }),
      );
    using x = load(a);
    using y = load(b);
    evaluator.modSwitchInPlace(x, primes);
    evaluator.modSwitchInPlace(y, primes);
    using product = evaluator.multiply(x, y);
    using square = evaluator.square(x);
    addTo('ab', product);
    addTo('aa', square);
    evaluator.modSwitchInPlace(x, 2);
    addTo('a', x);
  }
  for (const name of ['ab', 'aa', 'a']) {
    accumulator.absorb(name, other.read(name));
    const { size, words } = accumulator.read(name);
    expect(size).toBe(name === 'a' ? 2 : 3);
    expect(words).toEqual(wordsOf(sums[name]!));
    sums[name]![Symbol.dispose]();
  }
  encryptor[Symbol.dispose]();
});

test('an operand that is missing or has too few primes is refused', () => {
  const accumulator = new Accumulator(set, new CiphertextKernel());
  accumulator.put('a', new BigUint64Array(2 * 2 * set.polyModulusDegree));
  expect(() => accumulator.add('s', 2, 'b')).toThrow(expect.objectContaining({ code: 'PLAN_INVALID' }));
  expect(() => accumulator.add('s', 3, 'a')).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
  expect(accumulator.has('s')).toBe(false);
  expect(() => accumulator.read('s')).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
});
