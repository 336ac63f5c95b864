/**
 * Which uses the Data Use Ontology's permission terms allow: by their definitions, general research use includes
 * health research, and that includes research on a disease. Every other code allows exactly itself.
 * Source: github.com/EBISPOT/DUO.
 */
const includes: Readonly<Record<string, readonly string[]>> = {
  // No restriction.
  'DUO:0000004': ['DUO:0000042', 'DUO:0000006', 'DUO:0000007'],
  // General research use.
  'DUO:0000042': ['DUO:0000006', 'DUO:0000007'],
  // Health, medical or biomedical research.
  'DUO:0000006': ['DUO:0000007'],
};

/** Whether a dataset's conditions allow a purpose; without a condition that does, no. */
export const allowsPurpose = (conditions: readonly string[], purpose: string): boolean =>
  conditions.some((condition) => condition === purpose || includes[condition]?.includes(purpose));
