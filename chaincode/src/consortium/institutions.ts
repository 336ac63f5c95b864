/** The registry of institutions, and the votes on who has a seat. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { consortium } from '../api/transactions.js';
import { institutions, motions } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run } from '../ledger/transaction.js';
import {
  closeMotion,
  enroll,
  found,
  propose,
  readConsortium,
  rotateKeys,
  viewMotion,
  vote,
} from './members.js';

const definitions = consortium.InstitutionContract;

@Info({ title: 'InstitutionContract', description: 'Institutions: seats, votes, agents and keys.' })
export class InstitutionContract extends Contract {
  constructor() {
    super('InstitutionContract');
  }

  @Serves(definitions.Found)
  Found(context: Context, request: string): Promise<string> {
    return run(context, definitions.Found, request, found);
  }

  @Serves(definitions.Enroll)
  Enroll(context: Context, request: string): Promise<string> {
    return run(context, definitions.Enroll, request, enroll);
  }

  @Serves(definitions.RotateKeys)
  RotateKeys(context: Context, request: string): Promise<string> {
    return run(context, definitions.RotateKeys, request, rotateKeys);
  }

  @Serves(definitions.Propose)
  Propose(context: Context, request: string): Promise<string> {
    return run(context, definitions.Propose, request, propose);
  }

  @Serves(definitions.Vote)
  Vote(context: Context, request: string): Promise<string> {
    return run(context, definitions.Vote, request, vote);
  }

  @Serves(definitions.CloseMotion)
  CloseMotion(context: Context, request: string): Promise<string> {
    return run(context, definitions.CloseMotion, request, closeMotion);
  }

  @Serves(definitions.Seats)
  Seats(context: Context, request: string): Promise<string> {
    return run(context, definitions.Seats, request, ({ ledger }) => readConsortium(ledger));
  }

  @Serves(definitions.Motion)
  Motion(context: Context, request: string): Promise<string> {
    return run(context, definitions.Motion, request, viewMotion);
  }

  @Serves(definitions.Motions)
  Motions(context: Context, request: string): Promise<string> {
    return run(context, definitions.Motions, request, ({ ledger }, page) => ledger.page(motions, [], page));
  }

  @Serves(definitions.Get)
  Get(context: Context, request: string): Promise<string> {
    return run(context, definitions.Get, request, ({ ledger }, { mspId }) => ledger.get(institutions, mspId));
  }

  @Serves(definitions.List)
  List(context: Context, request: string): Promise<string> {
    return run(context, definitions.List, request, ({ ledger }, page) => ledger.page(institutions, [], page));
  }
}
