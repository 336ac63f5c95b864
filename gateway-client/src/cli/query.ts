import {
  openResearcher,
  openResult,
  readJobFile,
  resultRows,
  submitJob,
  waitForJob,
} from '../researcher/index.js';

/** Runs one job from its file to its printed result. */
export async function queryRun(
  jobPath: string,
  { profile, json }: { profile: string; json?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const file = await readJobFile(jobPath);
  using researcher = await openResearcher(profile, signal);
  const { jobId } = await submitJob(researcher, file);
  await waitForJob(researcher, jobId, (state) => process.stderr.write(`${jobId}: ${state}\n`));
  const result = await openResult(researcher, jobId);
  const rows = resultRows(result, file.analyses);
  if (json) {
    console.log(JSON.stringify({ jobId, state: result.job.state, rows }, undefined, 2));
    return;
  }
  console.log(file.title);
  for (const { statistic, quantity, labels, measured } of rows) {
    const group = Object.entries(labels).map(([name, level]) => `${name}=${level}`);
    const error =
      measured && measured.deviation > 0 ? `  (error deviation ${measured.deviation.toExponential(1)})` : '';
    console.log(
      [statistic, quantity, ...group].join(' ').padEnd(40),
      `${measured?.value ?? 'kept back'}${error}`,
    );
  }
}
