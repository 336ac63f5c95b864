import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaColumns } from './columns.js';
import { parseSchema, schemaHash } from './schema.js';

const valid = {
  name: 'test',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99, missing: true },
    { name: 'DEAD', kind: 'boolean' },
    {
      name: 'RANK',
      kind: 'ordinal',
      levels: [
        { code: '0', label: 'none' },
        { code: '1', label: 'some' },
      ],
    },
    { name: 'SURVIVAL', kind: 'timeToEvent', time: 'TD', event: 'DIED', unit: 'days', grid: [14, 180] },
  ],
};

test('names the columns of every kind of variable', () => {
  expect(schemaColumns(parseSchema(valid))).toEqual([
    '_row',
    'AGE',
    'AGE:valid',
    'DEAD=true',
    'DEAD=false',
    'RANK=0',
    'RANK=1',
    'SURVIVAL:event@14',
    'SURVIVAL:event@180',
    'SURVIVAL:censored@14',
    'SURVIVAL:censored@180',
  ]);
});

test('the hash depends on the content alone', () => {
  const { name, version, variables } = valid;
  expect(schemaHash(parseSchema({ variables, version, name }))).toBe(schemaHash(parseSchema(valid)));
  expect(schemaHash(parseSchema({ ...valid, version: '2' }))).not.toBe(schemaHash(parseSchema(valid)));
});

test('reads the dictionary of the International Stroke Trial', () => {
  const file = join(__dirname, '..', '..', '..', 'data', 'schemas', 'ist.json');
  const schema = parseSchema(JSON.parse(readFileSync(file, 'utf8')));
  expect(schema.variables.map((variable) => variable.name)).toEqual(
    expect.arrayContaining([
      'AGE',
      'RSBP',
      'SEX',
      'STYPE',
      'RXASP',
      'RXHEP',
      'ID14',
      'RCONSC',
      'RDELAY',
      'OCCODE',
    ]),
  );
});

const number = { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 };
test.each([
  ['an unknown key', { ...valid, colour: 1 }, /colour/],
  ['a name with a separator', { ...valid, variables: [{ ...number, name: 'AGE=1' }] }, /letters, digits/],
  ['an empty range', { ...valid, variables: [{ ...number, minimum: 99 }] }, /minimum below/],
  ['a name twice', { ...valid, variables: [number, number] }, /same name twice/],
  [
    'a level twice',
    {
      ...valid,
      variables: [
        {
          name: 'A',
          kind: 'categorical',
          levels: [
            { code: '1', label: '' },
            { code: '1', label: '' },
          ],
        },
      ],
    },
    /level code twice/,
  ],
  [
    'a grid that falls',
    {
      ...valid,
      variables: [{ name: 'S', kind: 'timeToEvent', time: 'T', event: 'E', unit: 'd', grid: [2, 1] }],
    },
    /rise/,
  ],
  ['not an object', 5, /whole value/],
])('refuses %s', (_, schema, reason) => {
  expect(() => parseSchema(schema)).toThrow(
    expect.objectContaining({ code: 'SCHEMA_INVALID', message: expect.stringMatching(reason) }),
  );
});
