import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export type Cell = string | number;

/** CSV of RFC 4180, with a header; numbers with at most six significant digits. */
export function csv<T extends { readonly [K in keyof T]: Cell }>(rows: readonly T[]): string {
  const names = Object.keys(rows[0] ?? {}) as (keyof T & string)[];
  const line = (cells: readonly Cell[]): string => cells.map(field).join(',');
  return `${[line(names), ...rows.map((row) => line(names.map((name) => row[name] ?? '')))].join('\n')}\n`;
}

function field(cell: Cell): string {
  if (typeof cell === 'number') return String(Number(cell.toPrecision(6)));
  return /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Writes a text file, making the folders on the way. */
export async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
