import { ROOT } from '../report.js';
import { withStudy } from '../study/alliance.js';
import { ask, csvLine, nameOf, readStudyJob, type Answer, type ComparedNumber } from '../study/ask.js';
import { writeFindings } from '../study/output.js';
import { enterTrial, readTrial } from '../study/trial.js';
import type { Experiment } from './index.js';
import { differencePicture } from './consistencyPicture.js';
import { oracleNumbers, type OracleNumber } from './oracleNumbers.js';

const JOBS = ['consistency-tables', 'consistency-numbers'];
const BASE_PORT = 43_051;

/** Results from ciphertexts are those from plain records, for every statistic, over the whole trial. */
export const consistency: Experiment = {
  summary: 'results from ciphertexts equal those from plain records, for every statistic',
  async run(progress) {
    const trial = await readTrial();
    const records = trial.all.map(({ values }) => values);
    const answers = await withStudy('consistency', BASE_PORT, progress, async (study) => {
      progress('encrypts and registers the records');
      await enterTrial(study, trial);
      const done: Answer[] = [];
      for (const name of JOBS)
        done.push(await ask(study, await readStudyJob(name), trial.schema, records, progress));
      return done;
    });
    const numbers = answers.flatMap((answer) => answer.numbers);
    const oracles = await oracleNumbers(ROOT, numbers);
    const wrong = numbers.filter(({ agrees }) => !agrees);
    const wrongOracles = oracles.filter(({ agrees }) => !agrees);
    const known = numbers.filter(({ encrypted }) => encrypted !== null);
    await writeFindings('consistency', {
      csv: table(numbers),
      picture: differencePicture(known),
      reading: reading(answers, numbers, oracles),
    });
    return {
      holds: wrong.length === 0 && wrongOracles.length === 0 && known.length > 0,
      summary: `${known.length} numbers of ${answers.length} jobs, ${wrong.length} differ from the plain records, ${wrongOracles.length} of ${oracles.length} from the independent tools`,
    };
  },
};

function table(numbers: readonly ComparedNumber[]): string[] {
  return [
    'job,number,encrypted,plain,difference,stated deviation,tolerance,agrees,note',
    ...numbers.map((number) =>
      csvLine([
        number.job,
        nameOf(number),
        number.encrypted,
        number.plain,
        number.encrypted === null || number.plain === null ? null : number.encrypted - number.plain,
        number.row.measured?.deviation ?? null,
        number.tolerance,
        number.agrees,
        number.row.note ?? null,
      ]),
    ),
  ];
}

function reading(
  answers: readonly Answer[],
  numbers: readonly ComparedNumber[],
  oracles: readonly OracleNumber[],
): string[] {
  const noisy = numbers.filter(({ tolerance }) => tolerance > 0);
  const exact = numbers.filter(({ tolerance, encrypted }) => tolerance === 0 && encrypted !== null);
  const deviations = noisy.map(({ encrypted, plain, row }) =>
    Math.abs(((encrypted ?? 0) - (plain ?? 0)) / (row.measured?.deviation ?? 1)),
  );
  const relative = noisy.map(({ encrypted, plain }) =>
    Math.abs(((encrypted ?? 0) - (plain ?? 0)) / (plain === null || plain === 0 ? 1 : plain)),
  );
  const differing = numbers.filter(({ agrees }) => !agrees);
  return [
    '# Results from ciphertexts and from plain records',
    '',
    'Every statistic over all 19,435 patients of the International Stroke Trial, held by four hospitals on one embedded',
    'network: encrypted under a collective key of 3 of 4, evaluated in the contracts, released by the holders, opened by',
    'the researcher. Beside each number stands the same computation on the plain records.',
    '',
    '| job | cells | numbers | seconds |',
    '|---|---:|---:|---:|',
    ...answers.map(
      ({ file, cells, numbers: own, seconds }) =>
        `| ${file.name} | ${cells} | ${own.length} | ${seconds.toFixed(1)} |`,
    ),
    '',
    `- ${exact.length} numbers are computed from counts. Counts are rounded to whole numbers when they are released, so these are exact: not one may differ at all.`,
    `- ${noisy.length} numbers come from sums of measurements. They carry the rounding of CKKS and the noise that the holders add (flooding); the plan states its standard deviation beforehand. The tolerance is the larger of 1e-6 relative and eight such deviations.`,
    `- The largest difference is ${Math.max(0, ...relative).toExponential(1)} relative, and ${Math.max(0, ...deviations).toFixed(2)} stated deviations; among so many numbers the largest of normal errors is expected at two to three.`,
    `- ${numbers.length - exact.length - noisy.length} have no value, in the clear as well: a median survival that is not reached.`,
    `- ${differing.length} numbers differ by more than the tolerance.`,
    '',
    '## Beside independent tools',
    '',
    'The plain computation shares the statistics with the encrypted one. These truths share nothing: they were computed',
    'by SciPy, statsmodels and lifelines from the file (`gateway-client/test/oracles/ist.py`).',
    '',
    '| number | encrypted | independent | agrees |',
    '|---|---:|---:|---|',
    ...oracles.map(
      ({ name, encrypted, truth, agrees }) =>
        `| ${name} | ${encrypted ?? 'kept back'} | ${truth} | ${agrees ? 'yes' : 'no'} |`,
    ),
    '',
    '## What this does not show',
    '',
    'Logistic regression is not among them, for it takes a job for every iteration: the experiment `ist` fits one. The',
    'hospitals set a minimum cohort of 1 here, for the records are open; a cell without any patient is kept back even so.',
    '',
    ...differing.map((number) => `- differs: ${nameOf(number)}`),
  ];
}
