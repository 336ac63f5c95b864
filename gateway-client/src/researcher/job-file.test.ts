import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJobFile, readJobFile } from './job-file.js';

const EXAMPLES = join(__dirname, '..', '..', '..', 'examples', 'jobs');

test('every example is a job', async () => {
  const names = (await readdir(EXAMPLES)).filter((name) => name.endsWith('.yaml'));
  expect(names.length).toBeGreaterThan(3);
  for (const name of names) {
    const job = await readJobFile(join(EXAMPLES, name));
    expect(`${job.name}.yaml`).toBe(name);
  }
});

const good = `name: a
title: A question
agreement: b
purpose: DUO:0000007
query: { version: 1, statistics: [{ id: n, kind: count }] }
`;

test('says which line or field is wrong', () => {
  expect(parseJobFile(good, 'good.yaml').query.statistics).toEqual([{ id: 'n', kind: 'count' }]);
  const cases: [string, RegExp][] = [
    ['name: [a\ntitle: b', /job\.yaml cannot be used: line \d+ is not readable YAML/],
    [good.replace('DUO:0000007', 'profit'), /purpose/],
    [good.replace('agreement: b\n', ''), /agreement/],
    [good.replace('kind: count', 'kind: guess'), /statistics\[0\]\.kind: .*proportion.*crosstab/],
    [
      good.replace('[{', '[{ id: m, kind: pearson, variables: [A, B, C] }, { by: 1,'),
      /: statistics\[1\]\.by: /,
    ],
    [
      good.replace(
        'id: n, kind: count',
        'id: n, kind: risk, exposure: A, event: { variable: B, levels: [1] }',
      ),
      /: statistics\[0\]\.event\.levels\[0\]: .*expected string, received number\.$/,
    ],
    [good.replace('kind: count', 'kind: chiSquare, rows: A'), /: statistics\[0\]\.columns: /],
    [`${good}extra: 1\n`, /extra/],
    ['', /job\.yaml cannot be used/],
  ];
  for (const [text, message] of cases) {
    expect(() => parseJobFile(text, 'job.yaml')).toThrow(
      expect.objectContaining({ code: 'JOB_FILE_INVALID', message: expect.stringMatching(message) }),
    );
  }
});

test('a file that is not there is said to be unreadable', async () => {
  await expect(readJobFile(join(EXAMPLES, 'none.yaml'))).rejects.toMatchObject({ code: 'JOB_FILE_INVALID' });
});
