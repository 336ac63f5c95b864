/** Key epochs: the multiparty ceremony as the ledger sees it. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { consortium } from '../api/transactions.js';
import { epochRecords } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run } from '../ledger/transaction.js';
import { abort, restart } from './attempts.js';
import { advance, commit, confirm, open, reveal } from './ceremony.js';
import { disclose, dispute, judge } from './dispute.js';
import { retire, view } from './epochUse.js';

const definitions = consortium.KeyEpochContract;

@Info({ title: 'KeyEpochContract', description: 'Key epochs: commitments, reveals and confirmations.' })
export class KeyEpochContract extends Contract {
  constructor() {
    super('KeyEpochContract');
  }

  @Serves(definitions.Open)
  Open(context: Context, request: string): Promise<string> {
    return run(context, definitions.Open, request, open);
  }

  @Serves(definitions.Commit)
  Commit(context: Context, request: string): Promise<string> {
    return run(context, definitions.Commit, request, commit);
  }

  @Serves(definitions.Reveal)
  Reveal(context: Context, request: string): Promise<string> {
    return run(context, definitions.Reveal, request, reveal);
  }

  @Serves(definitions.Confirm)
  Confirm(context: Context, request: string): Promise<string> {
    return run(context, definitions.Confirm, request, confirm);
  }

  @Serves(definitions.Advance)
  Advance(context: Context, request: string): Promise<string> {
    return run(context, definitions.Advance, request, advance);
  }

  @Serves(definitions.Retire)
  Retire(context: Context, request: string): Promise<string> {
    return run(context, definitions.Retire, request, retire);
  }

  @Serves(definitions.Abort)
  Abort(context: Context, request: string): Promise<string> {
    return run(context, definitions.Abort, request, abort);
  }

  @Serves(definitions.Restart)
  Restart(context: Context, request: string): Promise<string> {
    return run(context, definitions.Restart, request, restart);
  }

  @Serves(definitions.Dispute)
  Dispute(context: Context, request: string): Promise<string> {
    return run(context, definitions.Dispute, request, dispute);
  }

  @Serves(definitions.Disclose)
  Disclose(context: Context, request: string): Promise<string> {
    return run(context, definitions.Disclose, request, disclose);
  }

  @Serves(definitions.Judge)
  Judge(context: Context, request: string): Promise<string> {
    return run(context, definitions.Judge, request, judge);
  }

  @Serves(definitions.Get)
  Get(context: Context, request: string): Promise<string> {
    return run(context, definitions.Get, request, view);
  }

  @Serves(definitions.List)
  List(context: Context, request: string): Promise<string> {
    return run(context, definitions.List, request, ({ ledger }, page) => ledger.page(epochRecords, [], page));
  }
}
