import { resolve } from 'node:path';
import { Command } from 'commander';
import { NetworkError } from '../../errors.js';
import { requireNetwork } from '../../operations/directory.js';
import { down, stop } from '../../operations/down.js';
import { status } from '../../operations/status.js';
import { integer } from '../integer.js';
import { findLogs, followLogs, logText } from '../logs.js';
import type { Output } from '../output.js';
import { statusText } from '../statusText.js';

export function statusCommand(output: Output): Command {
  return new Command('status')
    .description('organisations, channels and their heights, chaincodes and their processes')
    .option('--verify', 'read all blocks of the embedded network first and check their hashes')
    .action(async (flags: { dir: string; verify?: boolean }) => {
      const found = await status(resolve(flags.dir), { verify: flags.verify ?? false });
      output.result(found, statusText(found));
    });
}

export function logsCommand(output: Output): Command {
  return new Command('logs')
    .description('what the network and its chaincodes wrote')
    .argument('[name]', 'beginning of a log\'s name, e.g. "network" or "basic_1.0-Org1MSP"')
    .option('-n, --lines <number>', 'lines of each', integer(1, 1_000_000), 20)
    .option('-f, --follow', 'go on writing what is added')
    .action(async (name: string | undefined, flags: { dir: string; lines: number; follow?: boolean }) => {
      const dir = resolve(flags.dir);
      requireNetwork(dir);
      const logs = findLogs(dir, name);
      if (flags.follow) await followLogs(logs, flags.lines);
      else output.result(logs, logText(logs, flags.lines));
    });
}

export function stopCommand(output: Output): Command {
  return new Command('stop')
    .description('stop the network but keep its ledger; "up" goes on with it')
    .action(async (flags: { dir: string }) => {
      const dir = resolve(flags.dir);
      output.progress('Stopping the network');
      await stop(dir);
      output.result({ dir, state: 'stopped' }, `The network in ${dir} is stopped; "up" goes on with it.`);
    });
}

export function downCommand(output: Output): Command {
  return new Command('down')
    .description('stop the network and remove everything that it made')
    .action(async (flags: { dir: string }) => {
      const dir = resolve(flags.dir);
      output.progress('Taking the network down');
      const removed = await downIfThere(dir);
      output.result(
        { dir, removed },
        removed ? `The network in ${dir} is gone.` : `There is no network in ${dir}.`,
      );
    });
}

/** As in the samples, taking down what is not there is no mistake. */
async function downIfThere(dir: string): Promise<boolean> {
  try {
    await down(dir);
    return true;
  } catch (error) {
    if (error instanceof NetworkError && error.code === 'NOT_RUNNING') return false;
    throw error;
  }
}
