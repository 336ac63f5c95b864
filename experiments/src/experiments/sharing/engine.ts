import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import { z } from 'zod';
import type { Decision } from './agreement.js';

export type Patient = Readonly<Record<string, string | number | boolean | null>>;

/** A group of patients as a database counts it. */
export interface Group {
  readonly level: string;
  readonly count: number;
  readonly mean: number;
}

/** The database of a centralised server. */
export interface Engine {
  readonly name: string;
  /** Takes over all patients, in columns that are numbers or texts. */
  load(patients: readonly Patient[]): Promise<void>;
  groups(variable: string, by: string): Promise<Group[]>;
  record(decision: Decision): Promise<void>;
  close(): Promise<void>;
}

const group = z.object({ level: z.string(), count: z.coerce.number(), mean: z.coerce.number() });

/** Column names come from the agreement, which names them; quoted all the same. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const groupsSql = (variable: string, by: string): string =>
  `SELECT ${quoted(by)} AS level, count(${quoted(variable)}) AS count, avg(${quoted(variable)}) AS mean ` +
  `FROM patients GROUP BY ${quoted(by)} ORDER BY 1`;

function columnsOf(patients: readonly Patient[]): { names: string[]; definitions: string } {
  const names = Object.keys(patients[0] ?? {});
  const typeOf = (name: string): string =>
    patients.some((patient) => typeof patient[name] === 'number') ? 'double precision' : 'text';
  return { names, definitions: names.map((name) => `${quoted(name)} ${typeOf(name)}`).join(', ') };
}

const plain = (value: Patient[string] | undefined): string | number | null =>
  typeof value === 'boolean' ? String(value) : (value ?? null);

const AUDIT = 'CREATE TABLE audit (at double precision, researcher text, question text, refusal text)';
const auditRow = ({
  at,
  researcher,
  question,
  refusal,
}: Decision): [number, string, string, string | null] => [
  at,
  researcher,
  JSON.stringify(question),
  refusal ?? null,
];

/** PostgreSQL; the connection is TLS with certificates on both sides. */
export async function postgresEngine(connection: ConstructorParameters<typeof Client>[0]): Promise<Engine> {
  const client = new Client(connection);
  await client.connect();
  return {
    name: 'PostgreSQL',
    async load(patients) {
      const { names, definitions } = columnsOf(patients);
      await client.query(`CREATE TABLE patients (${definitions})`);
      await client.query(AUDIT);
      // One array for each column: one statement, no text format of its own.
      const arrays = names.map((name) => patients.map((patient) => plain(patient[name])));
      const types = definitions.split(', ').map((text) => text.slice(text.lastIndexOf('"') + 2));
      const list = types.map((type, i) => `$${i + 1}::${type}[]`).join(', ');
      await client.query(`INSERT INTO patients SELECT * FROM unnest(${list})`, arrays);
      await client.query('ANALYZE patients');
    },
    async groups(variable, by) {
      return z.array(group).parse((await client.query(groupsSql(variable, by))).rows);
    },
    async record(decision) {
      await client.query('INSERT INTO audit VALUES ($1, $2, $3, $4)', auditRow(decision));
    },
    close: () => client.end(),
  };
}

/** SQLite in the server's process, on disk. */
export function sqliteEngine(file: string): Engine {
  const database = new DatabaseSync(file);
  return {
    name: 'SQLite',
    load(patients) {
      const { names, definitions } = columnsOf(patients);
      database.exec(`CREATE TABLE patients (${definitions}); ${AUDIT}; BEGIN`);
      const insert = database.prepare(`INSERT INTO patients VALUES (${names.map(() => '?').join(', ')})`);
      for (const patient of patients) insert.run(...names.map((name) => plain(patient[name])));
      database.exec('COMMIT');
      return Promise.resolve();
    },
    groups: (variable, by) =>
      Promise.resolve(z.array(group).parse(database.prepare(groupsSql(variable, by)).all())),
    record(decision) {
      database.prepare('INSERT INTO audit VALUES (?, ?, ?, ?)').run(...auditRow(decision));
      return Promise.resolve();
    },
    close() {
      database.close();
      return Promise.resolve();
    },
  };
}
