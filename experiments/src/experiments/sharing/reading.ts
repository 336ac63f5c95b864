import type { Machine } from '../../report.js';
import type { MethodRow, SetupRow } from './rows.js';

const times = (value: number): string => `${Number(value.toPrecision(2))} times`;

function verdict(ratio: number): string {
  const claim = 'that sharing by this scheme is the more efficient for the same data source';
  return ratio > 1
    ? `- So for time the statement ${claim} is **not confirmed**: homomorphic evaluation at four hospitals, replay by the key holders and dozens of ordered transactions stand against one scan of a table.`
    : `- So for time the statement ${claim} is confirmed here.`;
}

/** What the figures say, in words and ratios. */
export function reading(
  rows: readonly MethodRow[],
  setup: readonly SetupRow[],
  { engine, patients, load }: { engine: string; patients: number; load: readonly [number, number] },
  { cpu, cores, node }: Machine,
): string {
  const median = (method: string, temperature: string, quantity: string): number =>
    rows.find((row) => row.method === method && row.temperature === temperature && row.quantity === quantity)
      ?.median ?? NaN;
  const time = (method: string, temperature: string): number => median(method, temperature, 'milliseconds');
  const bytes = (method: string, temperature: string): number => median(method, temperature, 'bytes');
  const perQuery = bytes('StrokeShare', 'warm');
  const file = bytes('whole file', 'cold');
  return `# The same data source, shared in three ways

The International Stroke Trial (${patients} patients): the mean age by stroke subtype, five groups. StrokeShare asks the
demo's alliance of four hospitals (three of four hold the key); the centralised server is ${engine} behind HTTPS, with
certificates on both sides, the agreement's rules, a record of every decision and the same smallest group; the whole file
is downloaded from the same server, read and counted by the researcher. All three gave the same counts, and means that
agree within the stated noise. Cold: a new connection, and for the file its download; warm: the same connection again, the
file in memory. Bytes are those of the researcher's connections, TLS and all, counted by a proxy. Medians with 95%
intervals are in medians.csv. ${cores} cores (${cpu}, Node ${node.slice(1)}) carried all parties, with a load average of
${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after: ratios say something, times do not.

## Time of one query
- Warm, StrokeShare takes ${times(time('StrokeShare', 'warm') / time('central server', 'warm'))} what the centralised server takes, and ${times(time('StrokeShare', 'warm') / time('whole file', 'warm'))} what counting in the researcher's own copy takes.
- Cold, ${times(time('StrokeShare', 'cold') / time('central server', 'cold'))} and ${times(time('StrokeShare', 'cold') / time('whole file', 'cold'))}.
${verdict(time('StrokeShare', 'warm') / time('central server', 'warm'))}

## Bytes of one researcher
- A warm query through StrokeShare moves ${times(perQuery / file)} the bytes of the whole file, and ${times(perQuery / bytes('central server', 'warm'))} those of the centralised server.
- Against the whole file StrokeShare moves fewer bytes up to ${Math.floor(file / perQuery)} queries of one researcher; every further researcher needs a file of its own.

## What is paid once
${setup.map(({ method, what, seconds }) => `- ${method}: ${what}, ${times(seconds / Math.min(...setup.map((row) => row.seconds)))} the shortest of these.`).join('\n')}

## What the ratios leave out
- Patients' records that leave a hospital: none by StrokeShare; all ${patients} to the centralised server, whose operator reads them; all ${patients} to every researcher who gets the file.
- Who can answer alone: nobody by StrokeShare (three of four hospitals); the operator; every holder of a copy.
`;
}
