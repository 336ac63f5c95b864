/** Electronic agreements: text by hash, terms, and one signature slot for every data owner. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { consortium } from '../api/transactions.js';
import { Serves } from '../ledger/serves.js';
import { run } from '../ledger/transaction.js';
import { list, view, viewOfVersion } from './agreementViews.js';
import { amend, propose } from './proposals.js';
import { refuse, setSuspension, sign, terminate } from './signatures.js';

const definitions = consortium.AgreementContract;

@Info({ title: 'AgreementContract', description: 'Agreements between data owners and a researcher.' })
export class AgreementContract extends Contract {
  constructor() {
    super('AgreementContract');
  }

  @Serves(definitions.Propose)
  Propose(context: Context, request: string): Promise<string> {
    return run(context, definitions.Propose, request, propose);
  }

  @Serves(definitions.Amend)
  Amend(context: Context, request: string): Promise<string> {
    return run(context, definitions.Amend, request, amend);
  }

  @Serves(definitions.Sign)
  Sign(context: Context, request: string): Promise<string> {
    return run(context, definitions.Sign, request, sign);
  }

  @Serves(definitions.Refuse)
  Refuse(context: Context, request: string): Promise<string> {
    return run(context, definitions.Refuse, request, refuse);
  }

  @Serves(definitions.Suspend)
  Suspend(context: Context, request: string): Promise<string> {
    return run(context, definitions.Suspend, request, (transaction, { agreementId, reason }) =>
      setSuspension(transaction, agreementId, true, reason),
    );
  }

  @Serves(definitions.Resume)
  Resume(context: Context, request: string): Promise<string> {
    return run(context, definitions.Resume, request, (transaction, { agreementId }) =>
      setSuspension(transaction, agreementId, false, ''),
    );
  }

  @Serves(definitions.Terminate)
  Terminate(context: Context, request: string): Promise<string> {
    return run(context, definitions.Terminate, request, terminate);
  }

  @Serves(definitions.Get)
  Get(context: Context, request: string): Promise<string> {
    return run(context, definitions.Get, request, view);
  }

  @Serves(definitions.Version)
  Version(context: Context, request: string): Promise<string> {
    return run(context, definitions.Version, request, viewOfVersion);
  }

  @Serves(definitions.List)
  List(context: Context, request: string): Promise<string> {
    return run(context, definitions.List, request, list);
  }
}
