/** The shim's contract: the same on the consortium's and on the private channels but for who is registered there. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { consortium, privateRecords } from '../api/transactions.js';
import { sealedBlocks, sharingPending } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run } from '../ledger/transaction.js';
import { choose, seal, viewScheme, viewSharing, viewTip } from './seal.js';
import { heightKey } from './sharing.js';

type Definitions = (typeof consortium | typeof privateRecords)['EndorsementContract'];

function contractOf(definitions: Definitions): new () => Contract {
  @Info({ title: 'EndorsementContract', description: 'Seals sharing transactions by the channel’s scheme.' })
  class EndorsementContract extends Contract {
    constructor() {
      super('EndorsementContract');
    }

    @Serves(definitions.Choose)
    Choose(context: Context, request: string): Promise<string> {
      return run(context, definitions.Choose, request, choose);
    }

    @Serves(definitions.Seal)
    Seal(context: Context, request: string): Promise<string> {
      return run(context, definitions.Seal, request, seal);
    }

    @Serves(definitions.Scheme)
    Scheme(context: Context, request: string): Promise<string> {
      return run(context, definitions.Scheme, request, viewScheme);
    }

    @Serves(definitions.Tip)
    Tip(context: Context, request: string): Promise<string> {
      return run(context, definitions.Tip, request, viewTip);
    }

    @Serves(definitions.Sharing)
    Sharing(context: Context, request: string): Promise<string> {
      return run(context, definitions.Sharing, request, viewSharing);
    }

    @Serves(definitions.Pending)
    Pending(context: Context, request: string): Promise<string> {
      return run(context, definitions.Pending, request, ({ ledger }, page) =>
        ledger.page(sharingPending, [], page),
      );
    }

    @Serves(definitions.Block)
    Block(context: Context, request: string): Promise<string> {
      return run(context, definitions.Block, request, ({ ledger }, { height }) =>
        ledger.get(sealedBlocks, heightKey(height)),
      );
    }

    @Serves(definitions.Blocks)
    Blocks(context: Context, request: string): Promise<string> {
      return run(context, definitions.Blocks, request, ({ ledger }, page) =>
        ledger.page(sealedBlocks, [], page),
      );
    }
  }
  return EndorsementContract;
}

/** For the channel `consortium`, whose miners are enrolled institutions. */
export const ConsortiumEndorsementContract = contractOf(consortium.EndorsementContract);
/** For the private channels, whose one institution mines alone. */
export const RecordsEndorsementContract = contractOf(privateRecords.EndorsementContract);
