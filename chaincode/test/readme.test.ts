/** The README's tables are made from the source; `UPDATE_README=1` writes them anew. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  definitionsOf,
  errorCodes,
  institutionLevels,
  levelRights,
  refusalCodes,
  rules,
  type Rule,
} from '../src/index.js';
import { duoTerms } from '../src/permission/duo.js';
import * as machines from '../src/states/machines.js';
import { type Machine } from '../src/states/machine.js';

const README = join(__dirname, '..', 'README.md');
const yes = (right: boolean): string => (right ? 'yes' : 'no');
const code = (text: string): string => `\`${text}\``;

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const asks: Record<Rule, string> = {
  identity: 'The researcher is registered, not suspended, and the one that the agreement was made with.',
  agreement: 'All owners have signed, none suspends, and the version in force is the one that the job names.',
  period: 'It is time: from the first instant on, and before the last.',
  purpose: 'The purpose is the agreed one, and the permission term of every dataset includes it.',
  conditions: 'Every modifier of every dataset is met.',
  datasets: 'Every dataset is attested and not withdrawn, its owner a member, its key epoch in use.',
  variables: 'Every variable that the query reads or filters by is granted.',
  statistics: 'Every statistic is granted.',
  plan: 'The query has a plan that fits the parameters and one transaction.',
  disclosure: 'The same has not been released too often, and what was released leaves room for this.',
  budget: 'Cells, rho of differential privacy and the flooding noise of the key suffice.',
};

const isMachine = (value: unknown): value is Machine<string> =>
  typeof value === 'object' && value !== null && 'moves' in value && 'record' in value;

const tables: Record<string, () => string> = {
  levels: () =>
    table(
      ['level', 'holds a share of a key', 'proposes motions', 'hosts smaller ones'],
      institutionLevels.map((level) => {
        const { holdsKeys, proposes, hosts } = levelRights[level];
        return [level, yes(holdsKeys), yes(proposes), yes(hosts)];
      }),
    ),
  rules: () =>
    table(
      ['rule', 'asks whether'],
      rules.map((rule) => [rule, asks[rule]]),
    ),
  duo: () =>
    table(
      ['term', 'code', 'label', 'decided by'],
      Object.entries(duoTerms).map(([id, term]) => [
        term.shorthand,
        id,
        term.label,
        term.kind === 'permission' ? 'hierarchy' : term.decidedBy === 'machine' ? 'machine' : 'attestation',
      ]),
    ),
  states: () =>
    table(
      ['record', 'state', 'may become'],
      Object.values(machines as Record<string, unknown>)
        .filter(isMachine)
        .flatMap(({ record, moves }) =>
          Object.entries(moves).map(([state, next]) => [record, code(state), next.map(code).join(', ')]),
        ),
    ),
  transactions: () =>
    table(
      ['transaction', 'by', 'kind', 'does'],
      (['consortium', 'records'] as const).flatMap((chaincode) =>
        definitionsOf(chaincode)
          .filter(({ contract }) => chaincode === 'consortium' || contract === 'RecordsContract')
          .map(({ name, roles, registration, commits, summary }) => [
            code(name),
            roles.length === 4
              ? 'anybody'
              : `${roles.join(', ')}${registration === 'none' ? '' : ', registered'}`,
            commits ? 'submit' : 'evaluate',
            summary,
          ]),
      ),
    ),
  errors: () =>
    table(
      ['thrown', 'refused by policy'],
      [[errorCodes.map(code).join(' '), refusalCodes.map(code).join(' ')]],
    ),
};

test('the README’s tables are those of the source', async () => {
  const text = await readFile(README, 'utf8');
  const filled = text.replace(
    /<!-- table: (\w+) -->\n[^]*?<!-- end -->/g,
    (_, name: string) => `<!-- table: ${name} -->\n\n${tables[name]!()}\n\n<!-- end -->`,
  );
  const { format, resolveConfig } = await import('prettier');
  const formatted = await format(filled, { ...(await resolveConfig(README)), parser: 'markdown' });
  if (process.env['UPDATE_README']) await writeFile(README, formatted);
  expect(Object.keys(tables).every((name) => text.includes(`<!-- table: ${name} -->`))).toBe(true);
  expect(process.env['UPDATE_README'] ? formatted : text).toBe(formatted);
});
