import { epochId, runCeremony } from '../../test/ceremonyFixture.js';
import { decodeBlob } from '../bytes/index.js';
import { workOf } from '../evaluate/index.js';
import { parameterSet } from '../params/index.js';
import { plan } from '../plan/index.js';
import { cellValue, combineShares, releaseShare, sumOfC0 } from '../release/index.js';
import { parseSchema } from '../schema/index.js';
import { SealContext } from '../seal/index.js';
import { CipherEngine } from './engine.js';

const CYCLES = 10_000;
/** After so many, every table and pool has the size that it keeps. */
const WARM_UP = 200;

interface Memory {
  buffer: ArrayBuffer;
}
type Api = Record<'Memory' | 'instantiate', (...args: unknown[]) => unknown>;

/** Every WebAssembly memory from now on: those that kernels are given, and those that SEAL's instances export. */
function recordMemories(): ReadonlySet<Memory> {
  const api = WebAssembly as unknown as Api;
  const memories = new Set<Memory>();
  const original = api.Memory;
  api.Memory = new Proxy(original, {
    construct: (target, args: unknown[], newTarget) => {
      const memory = Reflect.construct(target, args, newTarget) as Memory;
      memories.add(memory);
      return memory;
    },
  });
  const instantiate = api.instantiate.bind(api);
  api.instantiate = async (...args) => {
    const result = (await instantiate(...args)) as { instance: { exports: Record<string, unknown> } };
    for (const value of Object.values(result.instance.exports))
      if (value instanceof (original as unknown as new () => Memory)) memories.add(value);
    return result;
  };
  return memories;
}

test(`${CYCLES} cycles of encryption, product and release leave the WebAssembly heaps where they were`, async () => {
  const memories = recordMemories();
  const set = parameterSet('toy');
  const { publicKey, relinKeys, keys } = await runCeremony(set, 1, 1);
  const engine = await CipherEngine.create(set);
  engine.loadPublicKey(epochId, publicKey);
  engine.loadRelinKeys(epochId, relinKeys);
  const context = await SealContext.for(set);
  const schema = parseSchema({
    name: 'test',
    version: '1',
    variables: [{ name: 'X', kind: 'numeric', minimum: -1, maximum: 1 }],
  });
  const made = plan(
    { version: 1, statistics: [{ id: 'x', kind: 'variance', variable: 'X' }] },
    [schema],
    set,
    { holders: 1, threshold: 1, institutions: 1, batches: 1 },
  );
  const cell = made.cells.find(({ id }) => id === 'X*X')!;
  const work = workOf(made, [cell.id]);
  const scale = { numerator: BigInt(cell.scale.numerator), denominator: BigInt(cell.scale.denominator) };
  const column = new Float64Array(set.slots).fill(0.5);
  const go = () => undefined;
  let largestError = 0;
  const cycle = () => {
    const batch = new Map([['X', engine.encrypt(epochId, [column])]]);
    engine.begin(epochId, work);
    engine.addBatch(batch, go);
    const [blob] = engine.finish([cell.id], go);
    const ciphertext = decodeBlob(blob!, { kind: 'ciphertext', parameterSetId: set.id, epochId });
    const share = releaseShare(keys[0]!, { ciphertext, committee: [1], sigma: BigInt(cell.sigma) });
    const residue = combineShares(set, { c0: sumOfC0(ciphertext, set), shares: new Map([[1, share]]) });
    const error = Math.abs(cellValue(residue, scale, set.slots) - set.slots / 4);
    largestError = Math.max(largestError, error);
  };
  const state = () => ({
    heaps: [...memories].map(({ buffer }) => buffer.byteLength),
    handles: context.liveHandles,
    kernel: engine.kernelBytes,
  });

  for (let i = 0; i < WARM_UP; i++) cycle();
  const before = state();
  // SEAL's instances (the ceremony's and the engine's) and the kernels.
  expect(before.heaps.length).toBeGreaterThanOrEqual(4);
  expect(Math.max(...before.heaps)).toBeGreaterThan(2 ** 23);
  for (let i = WARM_UP; i < CYCLES; i++) cycle();
  expect(state()).toEqual(before);
  expect(largestError).toBeLessThan(1e-3);
  engine[Symbol.dispose]();
  // Half a minute of one core; wide, for a machine that is busy.
}, 600_000);
