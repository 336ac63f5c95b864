/**
 * Matches a use with a dataset's conditions as the Data Use Ontology's documents and the Broad Institute's matcher do:
 * one permission by its place in the hierarchy, and every modifier besides. A modifier without a positive fact for it
 * is not met. A use is asked for at the most specific level: general research includes what a modifier prohibits.
 *
 * Sources: github.com/EBISPOT/DUO, README, "How does querying work when using DUO?"; Cabili et al., "Simplifying
 * research access to genomics and health data with Library Cards", Scientific Data 5, 2018 (DUOS).
 */
import { codeOf, type Condition, type DataUse, named } from '../api/dataUse.js';
import { ANCESTRY_RESEARCH, DUO, duoTerm, includesTerm, METHODS_DEVELOPMENT } from './duo.js';
import { isKindOf } from './mondo.js';

/** A use as the agreement and the registry know it. */
export interface IntendedUse extends DataUse {
  readonly purpose: string;
  /** Who uses. */
  readonly researcherId: string;
  /** Of which organisation. */
  readonly mspId: string;
  /** The period that is agreed. */
  readonly from: string;
  readonly until: string;
}

export type ConditionKind = 'permission' | 'modifier';

/** Which term is not met, and why in one sentence. */
export interface Objection {
  readonly code: string;
  readonly reason: string;
}

/** The first condition of a kind that does not allow the use. Without any permission nothing is allowed. */
export function objectionTo(
  conditions: readonly Condition[],
  use: IntendedUse,
  kind: ConditionKind,
): Objection | undefined {
  const asked = conditions.filter((entry) => kindOf(entry) === kind);
  if (kind === 'permission' && asked.length !== 1)
    return { code: use.purpose, reason: 'the dataset gives no permission' };
  for (const entry of asked) {
    const reason = kind === 'permission' ? permits(conditions, entry, use) : meets(conditions, entry, use);
    if (reason !== undefined) return { code: codeOf(entry), reason };
  }
  return undefined;
}

/** What is no permission restricts, and what is unknown is met by nothing. */
const kindOf = (entry: Condition): ConditionKind => duoTerm(codeOf(entry))?.kind ?? 'modifier';

/** Why the permission does not cover the purpose, or undefined. */
function permits(all: readonly Condition[], entry: Condition, use: IntendedUse): string | undefined {
  const code = codeOf(entry);
  const { purpose } = use;
  const no = `${named(code)} does not include ${named(purpose)}`;
  switch (purpose) {
    case DUO.GRU:
    case DUO.HMB:
      return code === DUO.NRES || includesTerm(code, purpose) ? undefined : no;
    case DUO.DS:
      if (code === DUO.DS) return sameDisease(entry, use);
      return code === DUO.NRES || includesTerm(code, purpose) ? undefined : no;
    // Health research "does not include the study of population origins or ancestry".
    case DUO.POA:
    case ANCESTRY_RESEARCH:
      return code === DUO.NRES || code === DUO.GRU || code === DUO.POA ? undefined : no;
    // Methods are developed within the bounds of the permission: of a disease, where that is what it is for.
    case METHODS_DEVELOPMENT:
      return code === DUO.DS ? sameDisease(entry, use) : undefined;
    case DUO.CC:
      return all.some((other) => codeOf(other) === DUO.CC) ? undefined : `${named(DUO.CC)} is not allowed`;
    default:
      return `${purpose} is no purpose that the ontology's matching knows`;
  }
}

/** Every disease of the use is one of the condition's, or a kind of one. */
function sameDisease(entry: Condition, { diseases = [] }: IntendedUse): string | undefined {
  const allowed = typeof entry === 'object' && entry.code === DUO.DS ? entry.diseases : [];
  if (diseases.length === 0) return `it is for ${allowed.join(', ')}, and the use names no disease`;
  const other = diseases.find((disease) => !allowed.some((wider) => isKindOf(disease, wider)));
  return other === undefined ? undefined : `it is for ${allowed.join(', ')}, and ${other} is no kind of it`;
}

/** Why a modifier is not met, or undefined. */
function meets(all: readonly Condition[], entry: Condition, use: IntendedUse): string | undefined {
  const code = codeOf(entry);
  if (duoTerm(code)?.kind !== 'modifier') return 'the term is unknown';
  if (typeof entry === 'object') return meetsParameters(entry, use);
  switch (code) {
    // Allows, and restricts nothing.
    case DUO.CC:
      return undefined;
    case DUO.NPOA:
      return use.purpose === DUO.POA || use.purpose === ANCESTRY_RESEARCH || use.purpose === DUO.GRU
        ? 'research on origins or ancestry is prohibited'
        : undefined;
    // The matching's table: not where a disease is what the permission is for, and the same is studied.
    case DUO.NMDS: {
      const ds = all.find((other) => codeOf(other) === DUO.DS);
      const develops = use.purpose === METHODS_DEVELOPMENT || use.purpose === DUO.GRU;
      return !develops || (ds && sameDisease(ds, use) === undefined)
        ? undefined
        : 'the development of methods is not allowed';
    }
    default:
      return attested(code, use);
  }
}

function meetsParameters(entry: Exclude<Condition, string>, use: IntendedUse): string | undefined {
  switch (entry.code) {
    case DUO.GS: {
      const { regions = [] } = use;
      const outside = regions.find((place) => !entry.regions.some((wider) => isWithin(place, wider)));
      if (regions.length > 0 && outside === undefined) return undefined;
      return `use is limited to ${entry.regions.join(', ')}${outside === undefined ? '' : `, and ${outside} is not within`}`;
    }
    case DUO.TS:
      return Date.parse(use.until) <= monthsAfter(use.from, entry.months)
        ? undefined
        : `use is limited to ${entry.months} months`;
    case DUO.US:
      return entry.users.includes(use.researcherId) ? undefined : 'the researcher is not an approved user';
    case DUO.PS:
      return use.project !== undefined && entry.projects.includes(use.project)
        ? undefined
        : 'the use is not within an approved project';
    case DUO.IS:
      return entry.institutions.includes(use.mspId)
        ? undefined
        : `${use.mspId} is not an approved institution`;
    case DUO.MOR:
    case DUO.RS:
      return attested(entry.code, use);
    case DUO.DS:
      return 'a permission is no modifier';
  }
}

const isWithin = (place: string, wider: string): boolean => place === wider || place.startsWith(`${wider}-`);

/** So many calendar months later, in UTC; the last day of a month that is shorter. */
export function monthsAfter(from: string, months: number): number {
  const start = new Date(from);
  const end = new Date(start);
  end.setUTCDate(1);
  end.setUTCMonth(end.getUTCMonth() + months);
  const days = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate();
  end.setUTCDate(Math.min(start.getUTCDate(), days));
  return end.getTime();
}

/** Whoever attests that neither organisation nor use is for profit attests each of both, and the other way round. */
function attested(code: string, { attestations = [] }: IntendedUse): string | undefined {
  const given = (wanted: string): boolean => attestations.some((entry) => entry.code === wanted);
  const byBoth = code === DUO.NPUNCU && given(DUO.NPU) && given(DUO.NCU);
  const byWhole = (code === DUO.NPU || code === DUO.NCU) && given(DUO.NPUNCU);
  if (!given(code) && !byBoth && !byWhole) return 'the agreement records no attestation of it';
  const { document } = attestations.find((entry) => entry.code === code) ?? {};
  return code === DUO.IRB && document === undefined ? 'the attestation names no document' : undefined;
}
