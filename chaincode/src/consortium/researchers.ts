/** The registry of researchers. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { type RegisterResearcher, type Researcher, type RotateResearcherKey } from '../api/researchers.js';
import { consortium } from '../api/transactions.js';
import { researcherIdOf } from '../ledger/caller.js';
import { researchers } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run, type Transaction } from '../ledger/transaction.js';
import { affiliate, restoreByHome, suspendByHome } from './researcherStatus.js';

const definitions = consortium.ResearcherContract;

@Info({ title: 'ResearcherContract', description: 'Researchers and the keys that results are sealed to.' })
export class ResearcherContract extends Contract {
  constructor() {
    super('ResearcherContract');
  }

  @Serves(definitions.Register)
  Register(context: Context, request: string): Promise<string> {
    return run(context, definitions.Register, request, register);
  }

  @Serves(definitions.RotateKey)
  RotateKey(context: Context, request: string): Promise<string> {
    return run(context, definitions.RotateKey, request, rotateKey);
  }

  @Serves(definitions.Suspend)
  Suspend(context: Context, request: string): Promise<string> {
    return run(context, definitions.Suspend, request, suspendByHome);
  }

  @Serves(definitions.Restore)
  Restore(context: Context, request: string): Promise<string> {
    return run(context, definitions.Restore, request, restoreByHome);
  }

  @Serves(definitions.Affiliate)
  Affiliate(context: Context, request: string): Promise<string> {
    return run(context, definitions.Affiliate, request, affiliate);
  }

  @Serves(definitions.Get)
  Get(context: Context, request: string): Promise<string> {
    return run(context, definitions.Get, request, ({ ledger, caller }, { researcherId }) =>
      ledger.get(researchers, researcherId ?? researcherIdOf(caller)),
    );
  }

  @Serves(definitions.List)
  List(context: Context, request: string): Promise<string> {
    return run(context, definitions.List, request, ({ ledger }, page) => ledger.page(researchers, [], page));
  }
}

async function register(transaction: Transaction, request: RegisterResearcher): Promise<Researcher> {
  const { mspId, subject } = transaction.caller;
  const researcherId = researcherIdOf(transaction.caller);
  const researcher: Researcher = {
    ...request,
    researcherId,
    mspId,
    subject,
    status: 'ACTIVE',
    registeredAt: transaction.at,
    suspensions: {},
  };
  await transaction.ledger.create(researchers, researcher, researcherId);
  transaction.emit(researcherId, researcher.status);
  return researcher;
}

async function rotateKey(transaction: Transaction, { sealingKey }: RotateResearcherKey): Promise<Researcher> {
  const rotated = { ...(await transaction.researcher()), sealingKey };
  await transaction.ledger.put(researchers, rotated, rotated.researcherId);
  transaction.emit(rotated.researcherId, rotated.status);
  return rotated;
}
