/**
 * The part of the Mondo Disease Ontology that a stroke alliance needs: stroke, what is under it, and everything above,
 * by is_a. A disease that is not here is covered by itself alone: unknown kinship allows nothing.
 *
 * Source: Mondo (github.com/monarch-initiative/mondo, CC BY 4.0), subclass relations of `subsets/mondo-rare_edges.tsv`
 * as of 2026-08-04 (2d171de47). Parents outside the way from a stroke to the root are left out.
 */
export const mondoParents: Readonly<
  Record<string, { readonly label: string; readonly isA: readonly string[] }>
> = {
  'MONDO:0000001': { label: 'disease', isA: [] },
  'MONDO:0700096': { label: 'human disease', isA: ['MONDO:0000001'] },
  'MONDO:7770006': { label: 'disease by body system or component', isA: ['MONDO:0700096'] },
  'MONDO:0005071': { label: 'nervous system disorder', isA: ['MONDO:7770006'] },
  'MONDO:0002602': { label: 'central nervous system disorder', isA: ['MONDO:0005071'] },
  'MONDO:0005560': { label: 'brain disorder', isA: ['MONDO:0002602'] },
  'MONDO:0004995': { label: 'cardiovascular disorder', isA: ['MONDO:7770006'] },
  'MONDO:0005385': { label: 'vascular disorder', isA: ['MONDO:0004995'] },
  'MONDO:0043218': { label: 'neurovascular disorder', isA: ['MONDO:0005071', 'MONDO:0005385'] },
  'MONDO:0011057': { label: 'cerebrovascular disorder', isA: ['MONDO:0005560', 'MONDO:0043218'] },
  'MONDO:0005098': { label: 'stroke disorder', isA: ['MONDO:0011057'] },
  'MONDO:1060198': { label: 'ischemic stroke', isA: ['MONDO:0005098'] },
  'MONDO:1060199': { label: 'hemorrhagic stroke', isA: ['MONDO:0005098'] },
  'MONDO:0005099': { label: 'subarachnoid hemorrhage', isA: ['MONDO:1060199'] },
  'MONDO:0019543': { label: 'acquired aneurysmal subarachnoid hemorrhage', isA: ['MONDO:0005099'] },
  'MONDO:0005394': { label: 'brain infarction', isA: ['MONDO:0011057'] },
  'MONDO:0006686': { label: 'brain stem infarction', isA: ['MONDO:0005394', 'MONDO:1060198'] },
  'MONDO:0006827': { label: 'lateral medullary syndrome', isA: ['MONDO:0006686'] },
  'MONDO:0005299': { label: 'brain ischemia', isA: ['MONDO:0011057'] },
  'MONDO:0018585': { label: 'pediatric arterial ischemic stroke', isA: ['MONDO:0005299', 'MONDO:1060198'] },
};

/** Whether a disease is another or a kind of it. */
export function isKindOf(disease: string, wider: string): boolean {
  const known = Object.hasOwn(mondoParents, disease) ? mondoParents[disease] : undefined;
  return disease === wider || known?.isA.some((parent) => isKindOf(parent, wider)) === true;
}
