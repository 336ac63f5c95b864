/** Which of the two chaincodes this process is: one package, two labels. */

/** @throws Error with a sentence for the operator */
export function chosenContracts(): 'consortium' | 'records' {
  const name = process.env['STROKESHARE_CONTRACTS'];
  if (name === 'consortium' || name === 'records') return name;
  throw new Error(
    'Set STROKESHARE_CONTRACTS to consortium or records to say which contracts this process serves.',
  );
}
