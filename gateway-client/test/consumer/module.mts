/** A program of somebody else, an ES module. */
import { createRequire } from 'node:module';
import * as all from '@strokeshare/gateway-client';
import { connect, type ConnectionProfile, type ResearcherClient } from '@strokeshare/gateway-client';
import { connect as narrow } from '@strokeshare/gateway-client/connect';
import { oddsRatio } from '@strokeshare/gateway-client/statistics';

/** Types reach through to the contracts' requests and answers. */
export async function titles(profile: ConnectionProfile): Promise<string[]> {
  using connection = await connect(profile);
  const client: ResearcherClient = connection.researcher();
  const { items } = await client.datasets.list({ limit: 10 });
  return items.map(({ title }) => title);
}

/** A request that no contract takes does not compile. */
export function wrong(client: ResearcherClient): Promise<unknown> {
  // @ts-expect-error an id is text
  return client.jobs.get({ jobId: 7 });
}

const { estimate } = oddsRatio({ exposedEvent: 4, exposedNone: 2, unexposedEvent: 1, unexposedNone: 1 });
// Both kinds of module are the same code, under the same names.
const required = createRequire(import.meta.url)('@strokeshare/gateway-client') as Record<string, unknown>;
const differing = Object.entries(required).filter(([name, value]) => {
  const imported = (all as Record<string, unknown>)[name];
  return typeof value === 'function' ? imported !== value : imported === undefined;
});
const one = connect === narrow && differing.length === 0;
console.log(JSON.stringify({ one, estimate }));
