import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { identifyProcess, isRunning, killGroup, waitForExit } from './processes.js';

describe('process identities', () => {
  it('knows this process, and no process that has ended', async () => {
    const self = identifyProcess(process.pid);
    expect(self && isRunning(self)).toBe(true);
    const child = spawn(process.execPath, ['-e', '']);
    const identity = identifyProcess(child.pid ?? 0);
    await once(child, 'exit');
    expect(identity && isRunning(identity)).toBe(false);
  });

  it('does not take another process with the same number for the one recorded', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true });
    const identity = identifyProcess(child.pid ?? 0)!;
    const older = { ...identity, started: `${identity.started}0` };
    expect(isRunning(older)).toBe(false);
    killGroup(older);
    expect(isRunning(identity)).toBe(true);
    killGroup(identity);
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    await expect(waitForExit(identity, 5000)).resolves.toBe(true);
  });
});
