/** The same as a CommonJS program. */
/* eslint-disable @typescript-eslint/no-require-imports -- this is how CommonJS imports with types */
import gateway = require('@strokeshare/gateway-client');
import narrow = require('@strokeshare/gateway-client/connect');
import statistics = require('@strokeshare/gateway-client/statistics');

/** Never called: it has to compile. */
async function state(jobId: string): Promise<gateway.demo.DemoReport | string> {
  using connection = await gateway.connect('profile.json');
  return (await connection.auditor().jobs.get({ jobId })).state;
}

const { estimate } = statistics.oddsRatio({
  exposedEvent: 4,
  exposedNone: 2,
  unexposedEvent: 1,
  unexposedNone: 1,
});
console.log(JSON.stringify({ one: gateway.connect === narrow.connect && state.length === 1, estimate }));
