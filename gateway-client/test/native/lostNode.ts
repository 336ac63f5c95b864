import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { identifyProcess, killGroup, status, waitForExit, type NetworkStatus } from '@strokeshare/network';

type Daemon = Extract<NetworkStatus, { state: 'running' }>['daemon'];
export type FabricNode = NonNullable<Daemon['fabric']>['nodes'][number];

/** What the daemon of a network tells. */
export async function daemonOf(dir: string): Promise<Daemon> {
  const found = await status(dir);
  if (found.state !== 'running') throw new Error(`the network in ${dir} does not run`);
  return found.daemon;
}

/** The nodes of a native network. */
export async function nodesOf(dir: string): Promise<readonly FabricNode[]> {
  return (await daemonOf(dir)).fabric?.nodes ?? [];
}

/** Kills a process and all that it started, as the kernel would: without a word. */
export async function kill(pid: number | undefined): Promise<void> {
  const identity = pid === undefined ? undefined : identifyProcess(pid);
  if (!identity) throw new Error('there is no such process');
  killGroup(identity);
  await waitForExit(identity, 10_000);
}

/** A node that was killed and cannot come back: its port is held. */
export interface LostNode {
  /** Lets whoever looks after the node start it again. */
  release(): Promise<void>;
}

/** Kills a node and keeps it away: it is started again in vain for as long as its port is held. */
export async function lose(dir: string, name: string): Promise<LostNode> {
  for (;;) {
    const node = (await nodesOf(dir)).find((candidate) => candidate.name === name);
    if (!node) throw new Error(`there is no node ${name}`);
    if (node.pid !== undefined) await kill(node.pid);
    const port = Number(node.address.split(':')[1]);
    const held = await hold(port);
    // It may have been started again before its port was held.
    if (!held) continue;
    return {
      async release() {
        held.close();
        await once(held, 'close');
      },
    };
  }
}

async function hold(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
