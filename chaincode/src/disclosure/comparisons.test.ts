import fc from 'fast-check';
import { type Cohort } from './cohorts.js';
import { commonPart, comparisonsFor, overlaps } from './comparisons.js';
import { type KnownCount, releasable } from './suppression.js';

const MINIMUM = 5;
const data = { d: '1' };
const cohort = (cell: string, numbers = ['AGE'], of: Cohort['data'] = data): Cohort => ({
  cell,
  numbers,
  data: of,
});

describe('which cohorts are compared', () => {
  it('those with a number in common that overlap, and of which neither is within the other', () => {
    const women = cohort('SEX=F');
    expect(overlaps(women, cohort('ATRIAL=true'))).toBe(true);
    expect(overlaps(women, cohort('ATRIAL=true*SEX=F'))).toBe(false);
    expect(overlaps(women, cohort('ATRIAL=true*SEX=M'))).toBe(false);
    expect(overlaps(women, cohort('ATRIAL=true', ['RSBP']))).toBe(false);
    expect(overlaps(women, cohort('ATRIAL=true', ['AGE'], { e: '1' }))).toBe(false);
    expect(overlaps(women, cohort('ATRIAL=true', ['AGE'], { d: '2' }))).toBe(true);
    expect(overlaps(cohort('S:event@7'), cohort('S:censored@7'))).toBe(false);
  });

  it('by what they have in common, where the versions of their datasets say so', () => {
    const women = cohort('RSBP:valid*SEX=F', ['RSBP']);
    expect(commonPart(women, cohort('ATRIAL=true*RSBP:valid'))).toEqual({
      cell: 'ATRIAL=true*RSBP:valid*SEX=F',
      data,
    });
    const both = cohort('ATRIAL=true', ['RSBP'], { d: '1', e: '1' });
    expect(commonPart(women, both)).toEqual({ cell: 'ATRIAL=true*RSBP:valid*SEX=F', data });
    expect(commonPart(women, cohort('ATRIAL=true', ['RSBP'], { d: '2' }))).toBeUndefined();
    expect(commonPart(cohort('S:valid'), cohort('ATRIAL=true*S:event@7'))?.cell).toBe(
      'ATRIAL=true*S:event@7',
    );
  });

  it('with products that the parameters have room for, and that are not asked for anyway', () => {
    const known = [cohort('SEX=F'), cohort('DEAD=true*STYPE=LACS'), cohort('ATRIAL=true*SEX=F')];
    expect(comparisonsFor([cohort('ATRIAL=true')], known, 4)).toEqual([
      'ATRIAL=true*SEX=F',
      'ATRIAL=true*DEAD=true*STYPE=LACS',
    ]);
    expect(comparisonsFor([cohort('ATRIAL=true')], known, 2)).toEqual(['ATRIAL=true*SEX=F']);
    expect(
      comparisonsFor([cohort('ATRIAL=true'), cohort('SEX=F'), cohort('ATRIAL=true*SEX=F', [])], [], 4),
    ).toEqual([]);
  });

  it('not where the job counts over more than the earlier one did', () => {
    const wide = cohort('ATRIAL=true', ['AGE'], { d: '1', e: '1' });
    expect(comparisonsFor([wide], [cohort('SEX=F')], 4)).toEqual([]);
    expect(comparisonsFor([cohort('SEX=F')], [wide], 4)).toEqual(['ATRIAL=true*SEX=F']);
  });
});

describe('overlapping cohorts', () => {
  const known = { ...cohort('ATRIAL=true'), count: 40 };
  const asked = { ...cohort('DEAD=true'), count: 41 };
  const common = (count?: number) => new Map([['ATRIAL=true*DEAD=true', count]]);

  it('are released beside each other if none or enough are in one alone', () => {
    expect(releasable([asked], MINIMUM, [known], common(40)).size).toBe(0);
    expect(releasable([asked], MINIMUM, [known], common(38)).size).toBe(1);
    expect(releasable([{ ...asked, count: 40 }], MINIMUM, [known], common(40)).size).toBe(1);
    expect(releasable([{ ...asked, count: 45 }], MINIMUM, [known], common()).size).toBe(1);
  });

  it('are taken to be close where nobody could compare them, and left to the committee where it did', () => {
    expect(releasable([asked], MINIMUM, [known]).size).toBe(0);
    expect(releasable([{ ...asked, count: 45 }], MINIMUM, [known]).size).toBe(1);
    expect(releasable([asked], MINIMUM, [known], common()).size).toBe(1);
  });

  it('never give away a number of a few patients, whatever the patients are', () => {
    const patients = fc.array(fc.record({ A: fc.boolean(), B: fc.boolean(), C: fc.boolean() }), {
      minLength: 10,
      maxLength: 60,
    });
    const names = ['A', 'B', 'C'] as const;
    // Some variables nearly say the same.
    const alike = fc
      .tuple(patients, fc.nat(3))
      .map(([all, few]) => all.map((patient, i) => (i >= few ? { ...patient, B: patient.A } : patient)));
    const conditions = fc
      .uniqueArray(fc.tuple(fc.constantFrom(...names), fc.boolean()), {
        minLength: 1,
        maxLength: 2,
        selector: ([name]) => name,
      })
      .map((list) =>
        list
          .map(([name, is]) => `${name}=${String(is)}`)
          .sort()
          .join('*'),
      );
    fc.assert(
      fc.property(fc.oneof(patients, alike), fc.array(conditions, { maxLength: 6 }), (all, jobs) => {
        const members = (cell: string): Set<number> => {
          const needed = cell.split('*').map((column) => column.split('=') as ['A' | 'B' | 'C', string]);
          const has = (i: number): boolean =>
            needed.every(([name, value]) => String(all[i]?.[name]) === value);
          return new Set([...all.keys()].filter(has));
        };
        let known: KnownCount[] = [];
        for (const cell of jobs) {
          const compared = comparisonsFor([cohort(cell)], known, 4);
          const counts = new Map(compared.map((id) => [id, members(id).size]));
          const count = { ...cohort(cell), count: members(cell).size };
          if (releasable([count], MINIMUM, known, counts).size === 1) known = [...known, count];
        }
        return known.every((a, i) =>
          known.slice(0, i).every((b) => {
            const [one, other] = [members(a.cell), members(b.cell)];
            const common = [...one].filter((i) => other.has(i)).length;
            const few = one.size + other.size - 2 * common;
            return few === 0 || few >= MINIMUM;
          }),
        );
      }),
    );
  });
});
