import { Command } from 'commander';
import {
  internalConfig,
  readConfig,
  reportText,
  requireIntact,
  verifyZone,
  ZoneLedger,
} from '@strokeshare/storage-node';
import { withExample } from './options.js';

/** `storage verify`: compares a storage node's folders with what its private channel has anchored. */
async function verify(
  folder: string,
  { external, json }: { external?: string; json?: boolean },
): Promise<void> {
  const config = await readConfig(folder, internalConfig);
  using ledger = await ZoneLedger.connect(config.ledger);
  const anchors = await ledger.records(config.recordsChannel).anchors();
  const report = await verifyZone(
    folder,
    anchors,
    external === undefined ? undefined : { folder: external, mspId: config.mspId },
  );
  if (json) console.log(JSON.stringify(report, undefined, 2));
  else for (const line of reportText(report)) console.log(line);
  requireIntact(report);
}

/** The commands about storage nodes; serving them is `strokeshare-storage`'s part. */
export function storageCommand(): Command {
  const command = new Command('storage').description("look after an institution's storage node");
  withExample(
    command.command('verify <folder>'),
    'storage verify /srv/strokeshare/internal --external /srv/strokeshare/external',
  )
    .description(
      'find altered, cut or missing journal entries and objects, and say since which anchor; exit code 1 where there are any',
    )
    .option('--external <folder>', "the external zone's folder, where it is reachable from here, too")
    .option('--json', 'print it as JSON')
    .action(verify);
  return command;
}
