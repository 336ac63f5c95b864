import { randomInt } from 'node:crypto';
import { torture } from './torture/torture.js';

/** The long run sets more kills; a seed repeats the choices of a run. */
const kills = Number(process.env.TORTURE_KILLS ?? 20);
const seed = Number(process.env.TORTURE_SEED ?? randomInt(2 ** 31));

describe('an embedded network that is killed', () => {
  it(
    `${kills} times under load loses nothing that it announced (seed ${seed})`,
    async () => {
      const result = await torture({
        seed,
        kills,
        report: (line) => process.stderr.write(`torture: ${line}\n`),
      });
      process.stderr.write(`torture: ${JSON.stringify(result)}\n`);
      expect(result.kills).toBe(kills);
      expect(result.valid).toBeGreaterThan(kills);
    },
    60_000 + kills * 15_000,
  );
});
