import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentLease } from './lease.js';

let folder: string;
let child: ChildProcess | undefined;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'strokeshare-lease-'))));
afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/** Another process that takes the lease and keeps it. */
async function otherHolder(): Promise<ChildProcess> {
  const program = join(folder, 'holder.cjs');
  const built = join(__dirname, '..', '..', 'dist', 'agent', 'lease.js');
  await writeFile(
    program,
    `require(${JSON.stringify(built)}).AgentLease.take(${JSON.stringify(folder)}).then((lease) => {
      setInterval(() => lease, 1e6);
      process.send('holding');
    });`,
  );
  child = fork(program);
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  expect(message).toBe('holding');
  return child;
}

test('one process acts for a folder, and another one at once when it is killed', async () => {
  const holder = await otherHolder();
  await expect(AgentLease.take(folder)).rejects.toMatchObject({ code: 'AGENT_RUNNING' });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const lease = await AgentLease.take(folder);
  await expect(AgentLease.take(folder)).rejects.toMatchObject({ code: 'AGENT_RUNNING' });
  await lease[Symbol.asyncDispose]();
  await (await AgentLease.take(folder))[Symbol.asyncDispose]();
});
