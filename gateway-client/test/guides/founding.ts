/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { datasetFile, PATIENTS, PROJECT, trialTables, type Walk } from './walk.js';

/** From folders of profiles to hospitals whose agents serve and whose records are shared. */
export function founding(walk: Walk): void {
  const { shell, hospitals } = walk;
  const [first, second, third] = hospitals;

  test('hospitals found a consortium and admit another one by a vote', async () => {
    for (const [i, hospital] of hospitals.entries()) {
      const folder = hospital.STROKESHARE_AGENT;
      const init = `init institution ${folder} --profiles @profiles --name hospital${i + 1}`;
      expect(await shell.done({}, init)).toContain('as it is, a person signs every agreement');
      await walk.fails({}, init, /is there already; choose another folder\. \(PROFILE_INVALID\)$/);
      await walk.enterStores(hospital);
    }
    await walk.fails({}, 'init institution @other --profiles @profiles', /say which with --name/);

    await walk.fails(first, 'institution enroll --name "Hospital 1"', /\(CONTRACT_REFUSED\)$/);
    const members = 'Hospital1MSP=municipal Hospital2MSP=municipal';
    expect(await shell.done(first, `institution found ${members}`)).toBe(
      'The consortium has 2 founding members.',
    );
    await walk.fails(second, 'institution found Hospital2MSP=municipal', /founded with other members/);
    expect(await shell.done(first, 'institution enroll --name "Hospital 1"')).toBe(
      'Hospital1MSP is enrolled: municipal, ACTIVE.',
    );
    const enrolled = z.looseObject({ mspId: z.literal('Hospital2MSP'), status: z.literal('ACTIVE') });
    await shell.json(second, 'institution enroll --name "Hospital 2" --json', enrolled);
    await walk.fails(third, 'institution enroll --name "Hospital 3"', /\(CONTRACT_REFUSED\)$/);

    const motion = 'admit Hospital3MSP --motion admit-3 --level county --reason "Joins the alliance"';
    expect(await shell.done(first, `institution propose ${motion}`)).toContain('admit-3 is OPEN');
    await walk.fails(third, 'institution vote admit-3 --approve', /\(CONTRACT_REFUSED\)$/);
    await shell.done(first, 'institution vote admit-3 --approve');
    expect(await shell.done(second, 'institution vote admit-3 --approve')).toContain('2 of 2 votes approve');
    expect(await shell.done(second, 'institution motions')).toMatch(/admit-3 +OPEN +admit Hospital3MSP/);
    expect(await shell.done(second, 'institution close admit-3')).toContain('2 approvals, 2 needed');
    await shell.done(third, 'institution enroll --name "Hospital 3"');
    expect(await shell.done(third, 'institution list')).toMatch(/Hospital3MSP +county +ACTIVE +Hospital 3/);
    const entry = z.looseObject({ mspId: z.literal('Hospital3MSP'), signingKey: z.string() });
    await shell.json(first, 'institution show Hospital3MSP', entry);
  });

  test('agents serve, make a key, and records are shared', async () => {
    for (const hospital of hospitals) walk.agents.push(walk.serve(hospital, ' --metrics 0'));
    const { address } = await walk.agents[0]!.says('metrics and health are served');
    for (const agent of walk.agents) await agent.says('serving');
    const health = await fetch(`http://${String(address)}/healthz`);
    expect(await health.json()).toEqual({ healthy: true, agents: { Hospital1MSP: 'serving' } });

    await walk.read();
    expect(await shell.done(first, 'key start epoch-1 --set additive')).toContain('2 of 2 will release');
    await walk.until(first, 'key status', /epoch-1 {2}ACTIVE .* 2 of Hospital1MSP, Hospital2MSP/);

    // Chosen before anything is shared there.
    expect(await shell.done(third, `pow choose ${SEALED} --hashes 4096`)).toContain(
      'is sealed by proof of work',
    );
    await writeSchema(walk);
    const { tables } = await trialTables();
    for (const [i, hospital] of hospitals.entries()) {
      const number = i + 1;
      await walk.write(`ist-${number}.yaml`, await datasetFile(number));
      await walk.write(`records-${number}.csv`, tables[i]!);
      const dry = `dataset profile @records-${number}.csv --schema @schema.json --mapping @mapping.yaml`;
      expect(await shell.done({}, dry)).toContain(`${PATIENTS} rows, ${PATIENTS} can be loaded`);
      await walk.fails(
        {},
        `${dry} --rejected @nowhere/list.csv`,
        /list\.csv cannot be written: its folder does not exist\. \(FILE_UNWRITABLE\)$/,
      );
      const added = await shell.done(hospital, `dataset add @ist-${number}.yaml @records-${number}.csv`);
      expect(added).toMatch(new RegExp(`^ist-hospital${number}: version 1 \\(FIRST\\), 1 batch`));
    }
    expect(await shell.done(first, 'dataset list')).toMatch(/ist-hospital3 {2}Hospital3MSP {2}ACTIVE/);
    expect(await shell.done(first, 'dataset show ist-hospital2')).toContain('No job used these records.');
  });

  test('what a hospital entered is sealed by proof of work, where that was chosen', async () => {
    await walk.fails(third, `pow choose ${SEALED}`, /\(CONTRACT_REFUSED\)$/);
    expect(await shell.done(first, 'pow status')).toBe('scheme   none');
    const status = `pow status ${SEALED}`;
    expect(await shell.done(third, status)).toMatch(
      /^height {3}0\n[^]*^pending {2}1\n {2}batch \S+ by Hospital3/m,
    );
    const mined = await shell.shell(third, `pow mine ${SEALED} --threads 1 --blocks 1`);
    expect(mined).toMatchObject({ code: 0, out: expect.stringMatching(/^block 1 [0-9a-f]{64} seals 1$/) });
    expect(await shell.done(third, status)).toMatch(/^height {3}1\n[^]*^pending {2}0$/m);
    expect(await shell.done(third, `pow verify ${SEALED}`)).toMatch(
      /^hospital3-records: 1 blocks by pow follow the rules from the genesis to [0-9a-f]{64}; they seal 1 entries/,
    );
  });
}

/** The private channel that is sealed by proof of work. */
const SEALED = '--channel hospital3-records';

/** A few variables of the trial, and age in bands. */
async function writeSchema(walk: Walk): Promise<void> {
  const path = join(PROJECT, 'data', 'schemas', 'ist.json');
  const schema = JSON.parse(await readFile(path, 'utf8')) as { variables: { name: string }[] };
  const kept = schema.variables.filter(({ name }) => ['AGE', 'RSBP', 'STYPE'].includes(name));
  const levels = ['16-59', '60-69', '70-79', '80-99'].map((code) => ({ code, label: code }));
  const bands = { name: 'AGEBAND', kind: 'ordinal', description: 'Age', levels };
  await walk.write('schema.json', JSON.stringify({ ...schema, variables: [...kept, bands] }));
  await walk.write('mapping.yaml', { fields: { AGEBAND: { from: 'AGE', bands: [16, 60, 70, 80, 100] } } });
}
