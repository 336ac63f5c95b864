import type { AgentContext } from './context.js';
import { ClientError } from '../errors.js';
import { AgentMetrics } from './metrics.js';

const context = { mspId: 'Hospital1MSP', signal: new AbortController().signal } as unknown as AgentContext;

test('tells of steps, errors and states, on loopback, and health falls with an error until it is over', async () => {
  await using metrics = new AgentMetrics();
  const address = await metrics.listen('0');
  expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
  const get = async (path: string) => {
    const response = await fetch(`http://${address}${path}`);
    return { status: response.status, text: await response.text() };
  };
  metrics.inReserve('/folder');
  metrics.serving(context, '/folder');
  metrics.step({ mspId: 'Hospital1MSP', step: 'evaluate', id: 'job-1', message: 'posted 3 partials' });
  metrics.failed(context, new ClientError('UNAVAILABLE', 'No peer.'));
  expect(await get('/healthz')).toEqual({
    status: 503,
    text: JSON.stringify({ healthy: false, agents: { Hospital1MSP: 'failing' } }),
  });
  metrics.idle(context);
  expect((await get('/healthz')).status).toBe(200);
  const { text } = await get('/metrics');
  expect(text).toContain('strokeshare_agent_steps_total{institution="Hospital1MSP",step="evaluate"} 1');
  expect(text).toContain('strokeshare_agent_errors_total{institution="Hospital1MSP",code="UNAVAILABLE"} 1');
  expect(text).toContain('strokeshare_agent_serving{institution="Hospital1MSP"} 1');
  // The ledger did not tell what waits: no number is better than a wrong one.
  expect(text).not.toContain('strokeshare_agent_inbox{');
  expect(text).not.toContain('job-1');
  expect((await get('/')).status).toBe(404);
  await expect(metrics.listen('everywhere')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
});
