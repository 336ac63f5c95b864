import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { program } from '../cli.js';
import { ClientError } from '../errors.js';
import { levelCodes, type LevelledVariable, type Variable } from '@strokeshare/fhe';
import { JobRefused, jobFileSchema, pictureOf, type Analysis, type ResultRow } from '../researcher/index.js';
import { toSvg } from '../pictures/index.js';
import { completionScript } from './completion.js';
import { exitCodeOf } from './ending.js';
import { formatRows } from './formats.js';

const rows: ResultRow[] = [
  {
    statistic: 'age',
    quantity: 'mean',
    labels: { STYPE: 'LACS' },
    measured: { value: 70.123456789012, deviation: 2e-7 },
  },
  { statistic: 'few', quantity: 'count', labels: { A: 'x|y', B: 'a,"b' }, measured: null },
  { statistic: 'fit', quantity: 'pValue', labels: {}, measured: null, note: 'no patients' },
];

test('a result as a table, comma-separated and as markdown', () => {
  const [head, mean, kept, undefinedRow] = formatRows(rows, 'csv').split('\n');
  expect(head).toBe('statistic,quantity,group,value,error deviation,note');
  expect(mean).toBe('age,mean,STYPE=LACS,70.12345679,2.0e-7,');
  expect(kept).toBe('few,count,"A=x|y B=a,""b",,,kept back');
  expect(undefinedRow).toBe('fit,pValue,,,,no patients');
  expect(formatRows(rows, 'md')).toContain('| few | count | A=x\\|y B=a,"b |');
  const table = formatRows(rows, 'table').split('\n');
  expect(table[1]).toMatch(/^age +mean +STYPE=LACS +70\.12345679 +2\.0e-7$/);
});

test('exit codes say what kind of end it was', () => {
  const { signal } = new AbortController();
  expect(exitCodeOf(new CommanderError(0, 'commander.help', ''), signal)).toBe(0);
  expect(exitCodeOf(new CommanderError(1, 'commander.unknownCommand', ''), signal)).toBe(2);
  expect(exitCodeOf(new JobRefused('j', 'BUDGET', 'no'), signal)).toBe(3);
  expect(exitCodeOf(new ClientError('JOB_FAILED', 'late'), signal)).toBe(4);
  expect(exitCodeOf(new Error('any'), signal)).toBe(1);
  expect(exitCodeOf(new Error('any'), AbortSignal.abort())).toBe(130);
});

test('completion knows commands, options and values, as the shell asks for them', () => {
  const script = completionScript(program(new AbortController().signal), 'bash');
  expect(completionScript(new Command(), 'zsh')).toMatch(/^\(\( .*compinit; }\nautoload -U \+X bashcompinit/);
  const completed = (...words: string[]): string[] => {
    const asked = `COMP_WORDS=(strokeshare "$@"); COMP_CWORD=$#; _strokeshare; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync('bash', ['-c', `${script}\n${asked}`, 'bash', ...words], {
      cwd: join(__dirname, '..', '..', '..', 'examples'),
      encoding: 'utf8',
    });
    return stdout.trim().split('\n');
  };
  expect(completed('query', '')).toEqual(
    expect.arrayContaining(['plan', 'run', 'status', 'result', '--help']),
  );
  expect(completed('query', 'run', 'job.yaml', '--fo')).toEqual(['--format']);
  expect(completed('query', 'run', '--format', '')).toEqual(['table', 'json', 'csv', 'svg', 'md']);
  expect(completed('query', 'plan', 'jobs/hep')).toEqual(['jobs/heparin-and-death.yaml']);
  expect(completed('query', 'plan', '--profile', 'jo')).toEqual(['jobs']);
  expect(completed('init', 'res')).toEqual(['researcher']);
});

test('the JSON schema beside the examples is that of the command', async () => {
  const path = join(__dirname, '..', '..', '..', 'examples', 'jobs', 'job.schema.json');
  const committed: unknown = JSON.parse(await readFile(path, 'utf8'));
  expect(committed).toEqual(JSON.parse(JSON.stringify(jobFileSchema())));
});

describe('pictures of results', () => {
  const row = (
    statistic: string,
    quantity: ResultRow['quantity'],
    labels: Record<string, string>,
    value: number,
  ): ResultRow => ({ statistic, quantity, labels, measured: { value, deviation: 0 } });
  const exposure = { variable: 'ARM', exposed: undefined, unexposed: undefined };

  test('a scale by its counts, odds ratios as a forest, a curve with its group', async () => {
    const analyses: Analysis[] = [
      { id: 's', kind: 'shift', exposure, scale: 'MRS', level: 0.95 },
      {
        id: 'f',
        kind: 'fixedEffect',
        exposure,
        event: { variable: 'DEAD', levels: undefined },
        strata: 'SITE',
        level: 0.99,
      },
      { id: 'k', kind: 'kaplanMeier', variable: 'T', by: ['ARM'], interval: 'log', level: 0.95 },
    ];
    const labels = { ARM: 'Y', T: '30' };
    const all = [
      row('s', 'count', { ARM: 'Y', MRS: '0' }, 30),
      row('s', 'count', { ARM: 'Y', MRS: '6' }, 10),
      row('f', 'oddsRatio', { SITE: 'north' }, 0.5),
      row('f', 'oddsRatioLower', { SITE: 'north' }, 0.25),
      row('f', 'oddsRatioUpper', { SITE: 'north' }, 1),
      ...(['survival', 'survivalLower', 'survivalUpper'] as const).map((q) => row('k', q, labels, 0.9)),
      row('k', 'atRisk', labels, 50),
      row('k', 'events', labels, 5),
      row('k', 'censored', labels, 0),
    ];
    const variables: Variable[] = [
      {
        name: 'ARM',
        kind: 'categorical',
        description: 'Treatment',
        levels: [
          { code: 'Y', label: 'aspirin' },
          { code: 'N', label: 'none' },
        ],
      },
      { name: 'T', kind: 'timeToEvent', time: 'DAYS', event: 'DEAD', unit: 'd', grid: [30] },
    ];
    const drawn = async (statistic?: string): Promise<string> =>
      toSvg(pictureOf(all, analyses, { statistic, title: 'Title', variables })!);
    const scale = await drawn();
    for (const text of ['75.0', '>Treatment<', '>aspirin<']) expect(scale).toContain(text);
    expect(await drawn('f')).toContain('0.50 (0.25 to 1.00)');
    const curve = await drawn('k');
    // Words and units of the schema, not its codes.
    for (const text of ['>45<', '>Time (d)<', '>aspirin<']) expect(curve).toContain(text);
    expect(await drawn('f')).toContain('(99 % interval)');
    expect(pictureOf(all, analyses, { statistic: 'other', title: 'Title' })).toBeUndefined();
    expect(pictureOf([], analyses, { statistic: 'k', title: 'Title' })).toBeUndefined();
  });

  test('who has a condition and who has not are two groups, each by its name', async () => {
    const variables: Variable[] = [
      { name: 'AF', kind: 'boolean', description: 'Atrial fibrillation' },
      { name: 'T', kind: 'timeToEvent', time: 'DAYS', event: 'DEAD', unit: 'd', grid: [30] },
    ];
    const [af] = variables;
    const all = levelCodes(af as LevelledVariable).flatMap((code, i) => {
      const labels = { AF: code, T: '30' };
      return [
        ...(['survival', 'survivalLower', 'survivalUpper'] as const).map((q) => row('k', q, labels, 0.9)),
        row('k', 'atRisk', labels, 50 + i),
        row('k', 'events', labels, 5),
        row('k', 'censored', labels, 0),
      ];
    });
    const analyses: Analysis[] = [
      { id: 'k', kind: 'kaplanMeier', variable: 'T', by: ['AF'], interval: 'log', level: 0.95 },
    ];
    const curve = await toSvg(pictureOf(all, analyses, { title: 'Title', variables })!);
    // In the legend, and beside each group's numbers at risk.
    for (const text of ['>Atrial fibrillation<', '>no Atrial fibrillation<', '>50<', '>51<', '>45<', '>46<'])
      expect(curve).toContain(text);
  });
});
