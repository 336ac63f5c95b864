import { mkdir, writeFile } from 'node:fs/promises';
import { arch, cpus, platform, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** The repository's root: results go to `out/` below it, wherever the command was started. */
export const ROOT = join(__dirname, '..', '..');

/** What a figure was measured on. Figures of two machines are never compared; ratios within one run are. */
export interface Machine {
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
}

/** One row of a bench: ours beside a named peer's, in the same unit and the same run. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  /** `null` where the peer is not on this machine; `peerName` then says why. */
  readonly peer: number | null;
  readonly peerName: string;
  /** Above 1 where ours is better; `null` without a peer. */
  readonly ratio: number | null;
}

/** Describes this machine. */
export function machine(): Machine {
  const all = cpus();
  return {
    platform: `${platform()} ${arch()}`,
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}

/**
 * Builds a row, with the ratio the right way round.
 *
 * @param better - `lower` for times and bytes, `higher` for rates.
 */
export function row(
  name: string,
  unit: string,
  ours: number,
  peer: number | null,
  peerName: string,
  better: 'lower' | 'higher' = 'lower',
): BenchRow {
  const ratio = peer === null ? null : better === 'lower' ? peer / ours : ours / peer;
  return { name, unit, ours, peer, peerName, ratio };
}

/** Writes `value` as indented JSON, making the folders on the way. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** A text table of bench rows, for a person. */
export function table(rows: readonly BenchRow[]): string {
  const figure = (value: number | null): string =>
    value === null ? '-' : String(Number(value.toPrecision(4)));
  const cells = [
    ['row', 'unit', 'ours', 'peer', 'ratio', 'peer is'],
    ...rows.map((r) => [r.name, r.unit, figure(r.ours), figure(r.peer), figure(r.ratio), r.peerName]),
  ];
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  return cells
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
