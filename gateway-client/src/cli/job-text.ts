/** A job as lines of text: what it will take, and what it waits for. */
import type { JobView } from '@strokeshare/chaincode';
import type { Forecast, JobFile } from '../researcher/index.js';

/** What a job would take: cost, depth, error, releases and privacy. */
export function forecastText(file: JobFile, made: Forecast): string {
  const { cells, cost } = made.plan;
  const values = cells.filter(({ kind }) => kind === 'value');
  const errors = values.map(({ errorDeviation }) => Number(errorDeviation));
  return [
    file.title,
    `  institutions         ${made.institutions.length}: ${made.institutions.join(', ')}; ${made.batches} batches`,
    `  cells                ${cells.length}: ${cells.length - values.length} counts, ${values.length} sums`,
    `  depth                ${cost.depth} levels of multiplication, set ${made.parameterSet}`,
    `  work                 ${cost.multiplications} multiplications, ${cost.relinearizations} relinearisations, about ${(cost.units / 1000).toFixed(1)} s of one core for all institutions`,
    `  ciphertexts          ${(cost.bytesIn / 2 ** 20).toFixed(0)} MiB read, ${(cost.bytesOut / 2 ** 20).toFixed(0)} MiB of partials`,
    errors.length === 0
      ? '  error                none: counts are exact'
      : `  error                counts exact; sums of scaled numbers: deviation at most ${Math.max(...errors).toExponential(1)}`,
    `  releases             ${made.releases.needed} of ${made.releases.left} that the agreement has left`,
    made.privacy
      ? `  privacy              rho ${(made.privacy.needed / 1e6).toPrecision(3)} of ${(made.privacy.left / 1e6).toPrecision(3)} left`
      : '  privacy              no differential privacy agreed',
    `  kept back            groups of fewer than ${made.minimumCohort}`,
    made.objections.length === 0
      ? '  The agreement covers it.'
      : `  The contract would refuse it: ${made.objections.join('; ')}.`,
  ].join('\n');
}

/** The state of a job, and whom it waits for or why it ended. */
export function stateText(job: JobView): string {
  const { state, participants, posted, committee = [], postingDeadline, deadline } = job;
  switch (state) {
    case 'SUBMITTED':
    case 'EVALUATING': {
      const missing = participants.filter((mspId) => !posted.includes(mspId));
      const whom = missing.length > 0 ? `${missing.join(', ')} to compute` : 'the sums';
      return `${state}\n  waits for ${whom}, until ${postingDeadline}`;
    }
    case 'AGGREGATED':
    case 'COUNTED': {
      const holders = committee.map(({ mspId }) => mspId).join(', ');
      return `${state}\n  waits for the holders ${holders}, until ${deadline}`;
    }
    case 'REFUSED':
      return `${state}\n  ${job.refusal?.reason ?? 'no reason was given'} (${job.refusal?.code ?? ''})`;
    case 'FAILED':
      return `${state}\n  ${job.missing?.join(', ') ?? ''} did not deliver until ${deadline}`;
    case 'CANCELLED':
      return `${state}\n  ${job.cancellation?.reason ?? ''}`;
    default:
      return state;
  }
}
