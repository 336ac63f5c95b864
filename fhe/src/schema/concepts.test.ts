import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { concept } from './concepts.js';
import { schemaColumns } from './columns.js';
import { parseSchema } from './schema.js';

// Truths: codes as their terminologies print them, with the check digit.
test.each([
  ['LOINC', '8480-6'],
  ['LOINC', '72089-6'],
  ['SNOMED CT', '422504002'],
  ['SNOMED CT', '472191000119101'],
])('the check digit of %s %s is right, and any other one is refused', (system, code) => {
  const others = Array.from({ length: 10 }, (_, digit) => `${code.slice(0, -1)}${digit}`);
  expect(others.filter((other) => concept.safeParse({ system, code: other }).success)).toEqual([code]);
});

test('swapped digits are noticed', () => {
  expect(concept.safeParse({ system: 'SNOMED CT', code: '422540002' }).success).toBe(false);
  expect(concept.safeParse({ system: 'LOINC', code: '4880-6' }).success).toBe(false);
  expect(concept.safeParse({ system: 'ICD-10', code: 'I6' }).success).toBe(false);
});

describe('the registry schema', () => {
  const file = join(__dirname, '..', '..', '..', 'data', 'schemas', 'stroke-registry.json');
  const schema = parseSchema(JSON.parse(readFileSync(file, 'utf8')));
  const variable = (name: string) => schema.variables.find((one) => one.name === name);

  // What the forms of the IST, the China Stroke Center Alliance and Get With The Guidelines - Stroke have in common.
  test.each([
    ['risk factors', ['HYPERTENSION', 'DIABETES', 'ATRIALFIBRILLATION', 'SMOKER', 'PRIORSTROKE']],
    ['the event', ['STROKETYPE', 'TOAST', 'SYNDROME', 'NIHSS', 'SBP', 'GLUCOSE']],
    ['times', ['ONSETTODOOR', 'DOORTOIMAGING', 'DOORTONEEDLE', 'DOORTOPUNCTURE']],
    [
      'measures of care',
      [
        'THROMBOLYSIS',
        'ANTITHROMBOTIC48',
        'VTEPROPHYLAXIS',
        'DYSPHAGIASCREEN',
        'DCSTATIN',
        'STROKEEDUCATION',
        'ALLCARE',
        'CARESHARE',
      ],
    ],
    ['complications', ['SICH', 'PNEUMONIA', 'DVT', 'PE']],
    ['outcomes', ['MRSDISCHARGE', 'MRS90', 'DEATHINHOSPITAL', 'SURVIVAL']],
  ])('has %s', (_, names) => {
    expect(names.filter((name) => !variable(name))).toEqual([]);
  });

  test('every value set is complete, and every number has a unit', () => {
    const levels = (name: string) => {
      const one = variable(name);
      return one && 'levels' in one ? one.levels.map(({ code }) => code) : [];
    };
    expect(levels('MRS90')).toEqual(['0', '1', '2', '3', '4', '5', '6']);
    expect(levels('PREMRS')).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(levels('TOAST')).toHaveLength(5);
    expect(levels('SYNDROME')).toEqual(['TACS', 'PACS', 'POCS', 'LACS', 'OTH']);
    expect(levels('STROKETYPE')).toEqual(['IS', 'ICH', 'SAH', 'TIA', 'NS']);
    expect(variable('NIHSS')).toMatchObject({ minimum: 0, maximum: 42 });
    const units = schema.variables.flatMap((one) => (one.kind === 'numeric' ? [one.unit] : []));
    const ucum = ['1', 'a', 'd', 'min', 'kg/m2', 'mm[Hg]', 'mg/dL', '%', '{score}', '{INR}'];
    expect(units.filter((unit = '') => !ucum.includes(unit))).toEqual([]);
    expect(schema.variables.filter(({ description }) => !description)).toEqual([]);
  });

  test('no two variables are written alike in a column', () => {
    const columns = schemaColumns(schema);
    expect(new Set(columns).size).toBe(columns.length);
  });
});
