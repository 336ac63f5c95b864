import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { Command } from 'commander';
import { readSchema } from '../demo/records.js';
import { openTable } from '../load/file.js';
import { profileTable, readMapping, sharedSchema, type TableProfile } from '../load/index.js';
import { progressBar } from '../load/progress.js';
import { unwritable } from '../named-file.js';
import { withExample } from './options.js';

interface Flags {
  schema: string;
  mapping: string;
  rejected?: string;
  json?: boolean;
}

/** `strokeshare dataset profile`: the dry run of loading a table. */
export function profileCommand(signal: AbortSignal): Command {
  return withExample(
    new Command('profile'),
    'dataset profile data/IST_corrected.csv.gz --schema data/schemas/ist.json --mapping data/mappings/ist.yaml',
  )
    .description(
      'read a table as loading would, and say what it holds and which rows it rejects; keeps nothing',
    )
    .argument('<file>', 'a CSV or TSV table, plain or packed by gzip')
    .requiredOption('--schema <file>', 'the schema, a JSON file')
    .requiredOption('--mapping <file>', 'how the columns become the fields of the schema, a YAML file')
    .option('--rejected <file>', 'write every rejected row with its line and the reason')
    .option('--json', 'print it as JSON')
    .action(async (path: string, flags: Flags) => {
      const profile = await profileOf(path, flags, signal);
      console.log(flags.json ? JSON.stringify(profile, undefined, 2) : profileText(profile));
    });
}

async function profileOf(
  path: string,
  { schema: schemaPath, mapping: mappingPath, rejected }: Flags,
  signal: AbortSignal,
): Promise<TableProfile> {
  const mapping = await readMapping(mappingPath);
  const schema = sharedSchema(await readSchema(schemaPath), mapping);
  const { bytes, size, read } = await openTable(path);
  const list = rejected === undefined ? undefined : await openList(rejected);
  const bar = progressBar(process.stderr, { title: 'reads', total: size, unit: 'rows' });
  let rows = 0;
  try {
    return await profileTable(
      bytes,
      { schema, mapping, signal },
      {
        onRows(row) {
          rows = row;
          bar.update(read(), row);
        },
        async onRejected(line, reason) {
          await list?.write(`${line},"${reason.replaceAll('"', '""')}"\n`);
        },
      },
    );
  } finally {
    bar.update(read(), rows);
    bar.stop();
    await list?.end();
  }
}

/** @throws ClientError `FILE_UNWRITABLE`, at once or when the disk is full. */
async function openList(
  path: string,
): Promise<{ write: (line: string) => Promise<void>; end: () => Promise<void> }> {
  const stream = createWriteStream(path);
  const closed = finished(stream).catch((cause: unknown) => {
    throw unwritable('The list of rejected rows', path, cause);
  });
  closed.catch(() => undefined);
  await once(stream, 'open').catch(() => closed);
  stream.write('line,reason\n');
  return {
    async write(line) {
      if (stream.errored) await closed;
      if (!stream.write(line)) await once(stream, 'drain').catch(() => closed);
    },
    async end() {
      stream.end();
      await closed;
    },
  };
}

/** A profile for a person to read. */
export function profileText({ schema, rows, accepted, rejections, fields }: TableProfile): string {
  const count = (value: number): string => value.toLocaleString('en');
  const figure = (value: number): string => String(Number(value.toPrecision(5)));
  return [
    `${schema.name} ${schema.version}: ${count(rows)} rows, ${count(accepted)} can be loaded`,
    ...rejections.map(
      ({ reason, rows: left, lines }) =>
        `  rejected ${count(left)}: ${reason} (line ${lines.join(', ')}${left > lines.length ? ', ...' : ''})`,
    ),
    ...fields.map(({ field, missing, numbers, levels, generalised }) => {
      const what = numbers
        ? `${figure(numbers.minimum)} to ${figure(numbers.maximum)}, mean ${figure(numbers.mean)}, sd ${figure(numbers.standardDeviation)}`
        : Object.entries(levels ?? {})
            .map(([code, patients]) => `${code} ${count(patients)}`)
            .join(', ');
      const notes = [missing > 0 ? `${count(missing)} missing` : '', generalised ?? ''].filter(Boolean);
      return `  ${field.padEnd(20)} ${what}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
    }),
  ].join('\n');
}
