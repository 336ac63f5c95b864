import { z } from 'zod';
import { accessRequest } from './asking.js';
import type { Walk } from './walk.js';

/** Looking after what was granted, until nothing of it is left. */
export function withdrawing(walk: Walk): void {
  const { shell, hospitals, researcher, operator } = walk;
  const [first, second] = hospitals;

  test('an institution reads what was done with its records, suspends, resumes and ends it', async () => {
    const about = await shell.done(first, 'audit list --about dataset=ist-hospital1');
    expect(about).toContain('JobContract:CloseRelease');
    expect(about).toContain('VARIABLE_NOT_COVERED');
    const lineage = z.looseObject({ entity: z.looseObject({}), activity: z.looseObject({}) });
    await shell.json(researcher, `audit lineage ${walk.takenOver}`, lineage);
    const replay = await shell.done(first, `audit replay ${walk.takenOver}`);
    expect(replay).toContain('of 3 institutions give the hashes on the ledger');
    const replayed = z.object({
      ...{ jobId: z.literal(walk.takenOver), cells: z.number(), planHash: z.string() },
      participants: z.array(z.string()).length(3),
    });
    await shell.json(first, `audit replay ${walk.takenOver} --json`, replayed);
    expect(await shell.done(first, 'builds')).toContain('All that answered run the same.');

    const suspend = 'access suspend ist-outcomes-more --reason "Under review"';
    await walk.fails(researcher, suspend, /\(ROLE_DIFFERS\)$/);
    for (const [line, done, state] of [
      [suspend, 'suspended', 'SUSPENDED'],
      ['access resume ist-outcomes-more', 'resumed', 'GRANTED'],
      ['access revoke ist-outcomes-more --reason "The study has ended"', 'revoked', 'REVOKED'],
    ] as const)
      expect(await shell.done(first, line)).toBe(`ist-outcomes-more is ${done}; its state is ${state}.`);
    expect(await shell.type(researcher, 'query run @job.yaml')).toMatchObject({ code: 3 });
    await shell.done(first, 'agreement suspend examples --reason "Under review"');
    expect(await shell.done(first, 'agreement resume examples')).toBe('examples is ACTIVE.');
  });

  test('who has lost a vault goes on with a new one, under the same identity', async () => {
    const third = hospitals[2];
    await shell.done({}, 'init institution @renewed --profiles @profiles --name hospital3');
    const renewed = { STROKESHARE_AGENT: walk.path('renewed') };
    const keyOf = async () =>
      (await shell.json(third, 'institution show Hospital3MSP', z.looseObject({ signingKey: z.string() })))
        .signingKey;
    const before = await keyOf();
    await walk.fails(
      renewed,
      'institution enroll --name "Hospital 3"',
      /other keys .* \(KEY_FILE_INVALID\)$/,
    );
    expect(await shell.done(renewed, 'institution rotate')).toMatch(/^Hospital3MSP signs and opens with/);
    expect(await keyOf()).not.toBe(before);

    await shell.done({}, 'init researcher @again --profiles @profiles');
    const again = { STROKESHARE_PROFILE: walk.path('again/researcher.json') };
    const register = 'researcher register --name "A. Lee" --affiliation "Stroke group"';
    await walk.fails(
      again,
      register,
      /another key .* "strokeshare researcher rotate"\. \(KEY_FILE_INVALID\)$/,
    );
    expect(await shell.done(again, 'researcher rotate')).toContain(
      `${walk.researcherId}: results are sealed`,
    );
    expect(await shell.done(again, register)).toBe(`${walk.researcherId} is registered: ACTIVE.`);
  });

  test('a researcher is suspended by the own operator at once, or by the members after a vote', async () => {
    await shell.done({}, 'init operator @operator --profiles @profiles');
    const id = `"${walk.researcherId}"`;
    const left = `${id} --reason "Left the group"`;
    await walk.fails(researcher, `researcher suspend ${left}`, /\(ROLE_DIFFERS\)$/);
    const suspended = `${walk.researcherId} is SUSPENDED.`;
    expect(await shell.done(operator, `researcher suspend ${left}`)).toBe(suspended);
    await walk.write('access.yaml', await accessRequest('too-late-request'));
    await walk.fails(researcher, 'access request @access.yaml', /\(CONTRACT_REFUSED\)$/);
    const resume = `researcher resume ${id} --reason "Is back"`;
    expect(await shell.done(operator, resume)).toBe(`${walk.researcherId} is ACTIVE.`);

    const misuse = `researcher suspend ${id} --reason "Misuse" --motion alice`;
    expect(await shell.done(first, misuse)).toContain('alice is OPEN');
    for (const who of [first, second]) await shell.done(who, 'institution vote alice --approve');
    await shell.done(second, 'institution close alice');
    expect(await shell.done(first, 'researcher list')).toContain(`${walk.researcherId}  SUSPENDED`);
    // What the members decided is not for the operator to take back.
    await walk.fails(operator, resume, /\(CONTRACT_REFUSED\)$/);
  });
}
