import { type Condition, conditions } from '../api/dataUse.js';
import { type IntendedUse, monthsAfter, objectionTo } from './dataUse.js';
import { ANCESTRY_RESEARCH, DUO, duoTerms, METHODS_DEVELOPMENT } from './duo.js';

const STROKE = 'MONDO:0005098';
const ISCHEMIC = 'MONDO:1060198';
const CEREBROVASCULAR = 'MONDO:0011057';
const EPILEPSY = 'MONDO:0005027';

const use = (purpose: string, more: Partial<IntendedUse> = {}): IntendedUse => ({
  purpose,
  researcherId: 'ResearchMSP/CN=alice',
  mspId: 'ResearchMSP',
  from: '2026-01-31T00:00:00Z',
  until: '2026-07-01T00:00:00Z',
  ...more,
});
const allows = (list: Condition[], wanted: IntendedUse): boolean =>
  objectionTo(list, wanted, 'permission') === undefined &&
  objectionTo(list, wanted, 'modifier') === undefined;
const disease = (...diseases: string[]): Condition => ({ code: DUO.DS, diseases });

describe('permissions of the Data Use Ontology', () => {
  // The table "Research Purpose to Query" of the ontology's README, and the matcher of DUOS (version 4).
  it.each<[string, IntendedUse, Condition[], boolean]>([
    ['general research, of GRU', use(DUO.GRU), [DUO.GRU], true],
    ['general research, of HMB', use(DUO.GRU), [DUO.HMB], false],
    ['general research, of DS', use(DUO.GRU), [disease(STROKE)], false],
    ['health research, of GRU', use(DUO.HMB), [DUO.GRU], true],
    ['health research, of HMB', use(DUO.HMB), [DUO.HMB], true],
    ['health research, of DS', use(DUO.HMB), [disease(STROKE)], false],
    ['health research, of POA', use(DUO.HMB), [DUO.POA], false],
    ['research on stroke, of GRU', use(DUO.DS, { diseases: [STROKE] }), [DUO.GRU], true],
    ['research on stroke, of HMB', use(DUO.DS, { diseases: [STROKE] }), [DUO.HMB], true],
    ['research on stroke, of stroke', use(DUO.DS, { diseases: [STROKE] }), [disease(STROKE)], true],
    ['a kind of it, of a disease', use(DUO.DS, { diseases: [ISCHEMIC] }), [disease(CEREBROVASCULAR)], true],
    ['a disease, of a kind of it', use(DUO.DS, { diseases: [CEREBROVASCULAR] }), [disease(ISCHEMIC)], false],
    ['another disease', use(DUO.DS, { diseases: [EPILEPSY] }), [disease(STROKE)], false],
    ['two diseases, of one', use(DUO.DS, { diseases: [STROKE, EPILEPSY] }), [disease(STROKE)], false],
    [
      'two diseases, of both',
      use(DUO.DS, { diseases: [STROKE, EPILEPSY] }),
      [disease(EPILEPSY, STROKE)],
      true,
    ],
    ['no disease named', use(DUO.DS), [disease(STROKE)], false],
    ['a disease, of POA', use(DUO.DS, { diseases: [STROKE] }), [DUO.POA], false],
    ['ancestry, of GRU', use(DUO.POA), [DUO.GRU], true],
    ['ancestry, of POA', use(ANCESTRY_RESEARCH), [DUO.POA], true],
    ['ancestry, of HMB', use(DUO.POA), [DUO.HMB], false],
    ['ancestry, of DS', use(DUO.POA), [disease(STROKE)], false],
    ['methods, of HMB', use(METHODS_DEVELOPMENT), [DUO.HMB], true],
    ['methods, of HMB with NMDS', use(METHODS_DEVELOPMENT), [DUO.HMB, DUO.NMDS], false],
    [
      'methods for stroke, of stroke with NMDS',
      use(METHODS_DEVELOPMENT, { diseases: [STROKE] }),
      [disease(STROKE), DUO.NMDS],
      true,
    ],
    ['methods without a disease, of stroke', use(METHODS_DEVELOPMENT), [disease(STROKE)], false],
    ['anything, of no restriction', use(DUO.GRU), [DUO.NRES], true],
    ['care, without CC', use(DUO.CC), [DUO.NRES], false],
    ['care, with CC', use(DUO.CC), [DUO.HMB, DUO.CC], true],
    ['research, with CC', use(DUO.HMB), [DUO.HMB, DUO.CC], true],
    ['ancestry, of GRU with NPOA', use(DUO.POA), [DUO.GRU, DUO.NPOA], false],
    ['all research, of GRU with NPOA', use(DUO.GRU), [DUO.GRU, DUO.NPOA], false],
    ['health research, of GRU with NPOA', use(DUO.HMB), [DUO.GRU, DUO.NPOA], true],
    ['a modifier as a purpose', use(DUO.NPU), [DUO.NRES], false],
    ['an unknown purpose', use('DUO:9999999'), [DUO.NRES], false],
    ['anything, of no permission', use(DUO.HMB), [DUO.CC], false],
  ])('%s', (_name, wanted, list, expected) => {
    expect(allows(list, wanted)).toBe(expected);
  });
});

describe('modifiers of the Data Use Ontology', () => {
  const attests = (...codes: string[]): Partial<IntendedUse> => ({
    attestations: codes.map((code) => ({ code, statement: 'So it is.' })),
  });
  it.each<[string, Condition, Partial<IntendedUse>, boolean]>([
    ['GS within the country', { code: DUO.GS, regions: ['CN'] }, { regions: ['CN-11'] }, true],
    ['GS of a part, for the country', { code: DUO.GS, regions: ['CN-11'] }, { regions: ['CN'] }, false],
    ['GS partly outside', { code: DUO.GS, regions: ['CN'] }, { regions: ['CN', 'FR'] }, false],
    ['GS unstated', { code: DUO.GS, regions: ['CN'] }, {}, false],
    ['TS to the day', { code: DUO.TS, months: 5 }, { until: '2026-06-30T00:00:00Z' }, true],
    ['TS a day more', { code: DUO.TS, months: 5 }, {}, false],
    ['US named', { code: DUO.US, users: ['ResearchMSP/CN=alice'] }, {}, true],
    ['US another', { code: DUO.US, users: ['ResearchMSP/CN=bob'] }, {}, false],
    ['PS approved', { code: DUO.PS, projects: ['p-1', 'p-2'] }, { project: 'p-2' }, true],
    ['PS another', { code: DUO.PS, projects: ['p-1'] }, { project: 'p-2' }, false],
    ['PS unstated', { code: DUO.PS, projects: ['p-1'] }, {}, false],
    ['IS approved', { code: DUO.IS, institutions: ['ResearchMSP'] }, {}, true],
    ['IS another', { code: DUO.IS, institutions: ['OtherMSP'] }, {}, false],
    ['MOR agreed to', { code: DUO.MOR, until: '2027-01-01T00:00:00Z' }, attests(DUO.MOR), true],
    ['MOR unstated', { code: DUO.MOR, until: '2027-01-01T00:00:00Z' }, {}, false],
    ['RS agreed to', { code: DUO.RS, research: 'Rehabilitation' }, attests(DUO.RS), true],
    ['RS unstated', { code: DUO.RS, research: 'Rehabilitation' }, {}, false],
    ['IRB without its document', DUO.IRB, attests(DUO.IRB), false],
    [
      'IRB with its document',
      DUO.IRB,
      { attestations: [{ code: DUO.IRB, statement: 'Approved.', document: 'a'.repeat(64) }] },
      true,
    ],
    ['NPU by the stricter NPUNCU', DUO.NPU, attests(DUO.NPUNCU), true],
    ['NCU by the stricter NPUNCU', DUO.NCU, attests(DUO.NPUNCU), true],
    ['NPUNCU by NPU and NCU', DUO.NPUNCU, attests(DUO.NPU, DUO.NCU), true],
    ['NPUNCU by NPU alone', DUO.NPUNCU, attests(DUO.NPU), false],
    ['NPU by NCU', DUO.NPU, attests(DUO.NCU), false],
    ...[DUO.PUB, DUO.COL, DUO.RTN, DUO.GSO].flatMap(
      (code): [string, Condition, Partial<IntendedUse>, boolean][] => [
        [`${code} attested`, code, attests(code), true],
        [`${code} unstated`, code, {}, false],
      ],
    ),
  ])('%s', (_name, modifier, more, expected) => {
    expect(allows([DUO.HMB, modifier], use(DUO.HMB, more))).toBe(expected);
  });

  it('are each decided by some rule: not one is met by a use that states nothing, but what restricts nothing', () => {
    const bare = Object.keys(duoTerms).filter(
      (code) =>
        duoTerms[code as keyof typeof duoTerms].kind === 'modifier' &&
        objectionTo([DUO.HMB, code], use(DUO.HMB), 'modifier') === undefined,
    );
    // Prohibitions of another use than this, and the term that only allows.
    expect(bare.sort()).toEqual([DUO.CC, DUO.NMDS, DUO.NPOA].sort());
  });

  it('count months by the calendar, to the last day of a shorter one', () => {
    expect(new Date(monthsAfter('2026-01-31T12:00:00Z', 1)).toISOString()).toBe('2026-02-28T12:00:00.000Z');
    expect(new Date(monthsAfter('2027-11-30T00:00:00Z', 3)).toISOString()).toBe('2028-02-29T00:00:00.000Z');
    expect(new Date(monthsAfter('2026-12-15T00:00:00Z', 12)).toISOString()).toBe('2027-12-15T00:00:00.000Z');
  });
});

describe('conditions of a dataset', () => {
  it.each([
    [[DUO.GRU], true],
    [[DUO.HMB, DUO.IRB, { code: DUO.TS, months: 12 }], true],
    [[{ code: DUO.DS, diseases: [STROKE] }], true],
    // No permission, two of them, an unknown term, parameters missing, or where there are none.
    [[DUO.IRB], false],
    [[DUO.GRU, DUO.HMB], false],
    [[DUO.GRU, 'DUO:0000014'], false],
    [[DUO.GRU, METHODS_DEVELOPMENT], false],
    [[DUO.DS], false],
    [[DUO.GRU, DUO.TS], false],
    [[DUO.GRU, { code: DUO.IRB, months: 1 }], false],
    [[DUO.GRU, DUO.IRB, DUO.IRB], false],
    [[], false],
  ])('%j: %s', (list, accepted) => {
    expect(conditions.safeParse(list).success).toBe(accepted);
  });
});
