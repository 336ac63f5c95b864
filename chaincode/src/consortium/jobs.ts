/** Jobs: from submission to release. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { consortium } from '../api/transactions.js';
import { jobRecords } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run } from '../ledger/transaction.js';
import { aggregate, postPartials } from './aggregate.js';
import { cancel } from './cancel.js';
import { closeCounts, openCounts, postCountShares, postVerdict } from './countGate.js';
import { accessTo, aggregatesOf, comparedWith, listOpen, partialsOf, sharesOf, view } from './jobViews.js';
import { replaceCommittee } from './replacement.js';
import { stop } from './stop.js';
import { submit } from './submit.js';
import { dealVector } from './vector.js';
import { closeRelease, postValueShares } from './valueRelease.js';

const definitions = consortium.JobContract;

@Info({ title: 'JobContract', description: 'Jobs: queries under agreements, computed on ciphertexts.' })
export class JobContract extends Contract {
  constructor() {
    super('JobContract');
  }

  @Serves(definitions.Submit)
  Submit(context: Context, request: string): Promise<string> {
    return run(context, definitions.Submit, request, submit);
  }

  @Serves(definitions.Cancel)
  Cancel(context: Context, request: string): Promise<string> {
    return run(context, definitions.Cancel, request, cancel);
  }

  @Serves(definitions.Stop)
  Stop(context: Context, request: string): Promise<string> {
    return run(context, definitions.Stop, request, stop);
  }

  @Serves(definitions.ReplaceCommittee)
  ReplaceCommittee(context: Context, request: string): Promise<string> {
    return run(context, definitions.ReplaceCommittee, request, replaceCommittee);
  }

  @Serves(definitions.PostPartials)
  PostPartials(context: Context, request: string): Promise<string> {
    return run(context, definitions.PostPartials, request, postPartials);
  }

  @Serves(definitions.Aggregate)
  Aggregate(context: Context, request: string): Promise<string> {
    return run(context, definitions.Aggregate, request, aggregate);
  }

  @Serves(definitions.PostCountShares)
  PostCountShares(context: Context, request: string): Promise<string> {
    return run(context, definitions.PostCountShares, request, postCountShares);
  }

  @Serves(definitions.PostVerdict)
  PostVerdict(context: Context, request: string): Promise<string> {
    return run(context, definitions.PostVerdict, request, postVerdict);
  }

  @Serves(definitions.OpenCounts)
  OpenCounts(context: Context, request: string): Promise<string> {
    return run(context, definitions.OpenCounts, request, openCounts);
  }

  @Serves(definitions.CloseCounts)
  CloseCounts(context: Context, request: string): Promise<string> {
    return run(context, definitions.CloseCounts, request, closeCounts);
  }

  @Serves(definitions.DealVector)
  DealVector(context: Context, request: string): Promise<string> {
    return run(context, definitions.DealVector, request, dealVector);
  }

  @Serves(definitions.PostValueShares)
  PostValueShares(context: Context, request: string): Promise<string> {
    return run(context, definitions.PostValueShares, request, postValueShares);
  }

  @Serves(definitions.CloseRelease)
  CloseRelease(context: Context, request: string): Promise<string> {
    return run(context, definitions.CloseRelease, request, closeRelease);
  }

  @Serves(definitions.Get)
  Get(context: Context, request: string): Promise<string> {
    return run(context, definitions.Get, request, view);
  }

  @Serves(definitions.List)
  List(context: Context, request: string): Promise<string> {
    return run(context, definitions.List, request, ({ ledger }, page) => ledger.page(jobRecords, [], page));
  }

  @Serves(definitions.ListOpen)
  ListOpen(context: Context, request: string): Promise<string> {
    return run(context, definitions.ListOpen, request, listOpen);
  }

  @Serves(definitions.Partials)
  Partials(context: Context, request: string): Promise<string> {
    return run(context, definitions.Partials, request, partialsOf);
  }

  @Serves(definitions.Aggregates)
  Aggregates(context: Context, request: string): Promise<string> {
    return run(context, definitions.Aggregates, request, aggregatesOf);
  }

  @Serves(definitions.Shares)
  Shares(context: Context, request: string): Promise<string> {
    return run(context, definitions.Shares, request, sharesOf);
  }

  @Serves(definitions.Compared)
  Compared(context: Context, request: string): Promise<string> {
    return run(context, definitions.Compared, request, comparedWith);
  }

  @Serves(definitions.Access)
  Access(context: Context, request: string): Promise<string> {
    return run(context, definitions.Access, request, accessTo);
  }
}
