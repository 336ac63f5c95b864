/**
 * The terms of the Data Use Ontology that conditions and purposes are made of.
 *
 * Source: Data Use Ontology, release 2021-02-23 (http://purl.obolibrary.org/obo/duo/releases/2021-02-23/duo.owl, CC BY
 * 4.0, github.com/EBISPOT/DUO): codes, shorthands, labels and is_a. Lawson et al., "The Data Use Ontology to streamline
 * responsible access to human biomedical datasets", Cell Genomics 1(2), 2021.
 */

/**
 * How a modifier is decided: `machine` from what the agreement and the registry hold; `attested` by a statement of the
 * researcher that is recorded in the agreement, and so signed by every owner.
 */
export type DecidedBy = 'machine' | 'attested';

export type DuoTerm =
  | { readonly kind: 'permission'; readonly shorthand: string; readonly label: string; readonly isA?: string }
  | {
      readonly kind: 'modifier';
      readonly shorthand: string;
      readonly label: string;
      readonly isA?: string;
      readonly decidedBy: DecidedBy;
    };

const permission = (shorthand: string, label: string, isA?: string): DuoTerm => ({
  kind: 'permission',
  shorthand,
  label,
  ...(isA !== undefined && { isA }),
});
const modifier = (shorthand: string, label: string, decidedBy: DecidedBy, isA?: string): DuoTerm => ({
  kind: 'modifier',
  shorthand,
  label,
  decidedBy,
  ...(isA !== undefined && { isA }),
});

/** Codes by their shorthands, for the rules. */
export const DUO = {
  NRES: 'DUO:0000004',
  HMB: 'DUO:0000006',
  DS: 'DUO:0000007',
  POA: 'DUO:0000011',
  RS: 'DUO:0000012',
  NMDS: 'DUO:0000015',
  GSO: 'DUO:0000016',
  NPUNCU: 'DUO:0000018',
  PUB: 'DUO:0000019',
  COL: 'DUO:0000020',
  IRB: 'DUO:0000021',
  GS: 'DUO:0000022',
  MOR: 'DUO:0000024',
  TS: 'DUO:0000025',
  US: 'DUO:0000026',
  PS: 'DUO:0000027',
  IS: 'DUO:0000028',
  RTN: 'DUO:0000029',
  GRU: 'DUO:0000042',
  CC: 'DUO:0000043',
  NPOA: 'DUO:0000044',
  NPU: 'DUO:0000045',
  NCU: 'DUO:0000046',
} as const;

/** What a use may be for besides the permissions: two kinds of investigation that the ontology names, and care. */
export const METHODS_DEVELOPMENT = 'DUO:0000031';
export const ANCESTRY_RESEARCH = 'DUO:0000033';

export const duoTerms: Readonly<Record<(typeof DUO)[keyof typeof DUO], DuoTerm>> = {
  [DUO.NRES]: permission('NRES', 'no restriction'),
  [DUO.GRU]: permission('GRU', 'general research use'),
  [DUO.HMB]: permission('HMB', 'health or medical or biomedical research', DUO.GRU),
  [DUO.DS]: permission('DS', 'disease specific research', DUO.HMB),
  [DUO.POA]: permission('POA', 'population origins or ancestry research only'),
  [DUO.RS]: modifier('RS', 'research specific restrictions', 'attested'),
  [DUO.NMDS]: modifier('NMDS', 'no general methods research', 'machine'),
  [DUO.GSO]: modifier('GSO', 'genetic studies only', 'attested'),
  [DUO.NPUNCU]: modifier('NPUNCU', 'not for profit, non commercial use only', 'attested'),
  [DUO.NPU]: modifier('NPU', 'not for profit organisation use only', 'attested', DUO.NPUNCU),
  [DUO.NCU]: modifier('NCU', 'non-commercial use only', 'attested', DUO.NPUNCU),
  [DUO.PUB]: modifier('PUB', 'publication required', 'attested'),
  [DUO.COL]: modifier('COL', 'collaboration required', 'attested'),
  [DUO.IRB]: modifier('IRB', 'ethics approval required', 'attested'),
  [DUO.GS]: modifier('GS', 'geographical restriction', 'machine'),
  [DUO.MOR]: modifier('MOR', 'publication moratorium', 'attested'),
  [DUO.TS]: modifier('TS', 'time limit on use', 'machine'),
  [DUO.US]: modifier('US', 'user specific restriction', 'machine'),
  [DUO.PS]: modifier('PS', 'project specific restriction', 'machine'),
  [DUO.IS]: modifier('IS', 'institution specific restriction', 'machine'),
  [DUO.RTN]: modifier('RTN', 'return to database or resource', 'attested'),
  [DUO.CC]: modifier('CC', 'clinical care use', 'machine'),
  [DUO.NPOA]: modifier('NPOA', 'population origins or ancestry research prohibited', 'machine'),
};

/** The term of a code, or undefined: an unknown code allows nothing and is met by nothing. */
export const duoTerm = (code: string): DuoTerm | undefined =>
  Object.hasOwn(duoTerms, code) ? duoTerms[code as keyof typeof duoTerms] : undefined;

/** Whether a permission term includes another by the ontology's is_a: GRU includes HMB, and HMB includes DS. */
export function includesTerm(wider: string, code: string): boolean {
  for (let term: string | undefined = code; term !== undefined; term = duoTerm(term)?.isA)
    if (term === wider) return true;
  return false;
}
