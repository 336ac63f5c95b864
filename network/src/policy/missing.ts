/**
 * The organisations that a policy still needs, in words: the choices that need the fewest.
 *
 * @param sets - the sets of MSP ids that satisfy the policy (`endorserSets`)
 */
export function missingOrganizations(
  sets: readonly (readonly string[])[],
  present: readonly string[],
): string {
  const missing = sets.map((set) => set.filter((mspId) => !present.includes(mspId)));
  const fewest = Math.min(...missing.map(({ length }) => length));
  const choices = missing.filter(({ length }) => length === fewest).map((set) => set.join(' and '));
  return choices.join(', or ') || 'nobody who could be asked';
}

/** Who endorsed a transaction and who is missing. */
export function endorsedAndMissing(
  sets: readonly (readonly string[])[],
  endorsed: readonly string[],
): string {
  return `endorsed by ${endorsed.join(' and ') || 'nobody'}; missing: ${missingOrganizations(sets, endorsed)}`;
}
