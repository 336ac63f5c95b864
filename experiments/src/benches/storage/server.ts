/** One external zone in a process of its own, whose CPU and memory can be asked for; the ledger is a local answer. */
import { ExternalZone, externalConfig } from '@strokeshare/storage-node';

/** What the server is told at its start. */
export interface ServerTask {
  folder: string;
  config: unknown;
  /** Only this institution is granted anything. */
  granted: string;
}

/** What it answers when it is asked. */
export interface ServerFigures {
  cpuSeconds: number;
  rssBytes: number;
}

async function serve({ folder, config, granted }: ServerTask): Promise<void> {
  const zone = await ExternalZone.open(folder, externalConfig.parse(config), {
    grants: { check: async ({ mspId }) => mspId === granted },
    // All readers of the bench come from one address.
    listener: { connectionsPerSecond: 100_000, connections: 2_000 },
    reading: { downloads: 2_000 },
  });
  process.send?.(zone.ports);
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const figures: ServerFigures = {
      cpuSeconds: (user + system) / 1e6,
      rssBytes: process.memoryUsage().rss,
    };
    process.send?.(figures);
  });
}

process.once('message', (task: ServerTask) => void serve(task));
process.once('disconnect', () => process.exit());
