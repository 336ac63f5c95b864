import { definitionsOf, type TransactionDefinition } from '@strokeshare/chaincode';
import { canonicalJson } from '@strokeshare/fhe';
import { z } from 'zod';
import { ClientError } from '../errors.js';
import type { CallControl, Ledger } from './ledger.js';

/** What Fabric's contract API tells of a chaincode, as far as it is compared. */
const metadata = z.object({
  contracts: z.record(
    z.string(),
    z.object({
      transactions: z.array(
        z.object({
          name: z.string(),
          tag: z.array(z.string()).default([]),
          parameters: z.array(z.object({ description: z.string().default('') })).default([]),
          returns: z.object({ contentSchema: z.unknown().optional() }).optional(),
        }),
      ),
    }),
  ),
});
type Transaction = z.infer<typeof metadata>['contracts'][string]['transactions'][number];

/** A transaction in which this client and the deployed contracts differ. */
export interface MetadataDifference {
  /** `JobContract:Submit`. */
  transaction: string;
  /** `missing`: the contracts do not have it; the others: what this client would send or read otherwise. */
  what: 'missing' | 'request' | 'response' | 'commits';
}

/** Stands before the request's JSON schema in a parameter's description. */
const SCHEMA_MARK = ' JSON of: ';

/**
 * Compares what this client sends and reads with the metadata of the contracts that are deployed: their own JSON
 * schemas of every request and response. A client of another version shows here before anything is submitted.
 *
 * @returns what differs; empty where client and contracts agree.
 * @throws LedgerError; ClientError `ANSWER_INVALID` for metadata that are not Fabric's.
 */
export async function compareMetadata(
  ledger: Ledger,
  chaincode: 'consortium' | 'records',
  channel: string,
  control: CallControl = {},
): Promise<MetadataDifference[]> {
  const contract = 'org.hyperledger.fabric';
  const call = { channel, chaincode, contract, transaction: 'GetMetadata', argument: '' };
  const { contracts } = parsed(await ledger.evaluate(call, control));
  return definitionsOf(chaincode).flatMap((definition): MetadataDifference[] => {
    const deployed = contracts[definition.contract]?.transactions.find(
      ({ name }) => name === definition.transaction,
    );
    const differing = deployed ? differencesOf(definition, deployed) : ['missing' as const];
    return differing.map((what) => ({ transaction: definition.name, what }));
  });
}

function parsed(text: string): z.infer<typeof metadata> {
  try {
    return metadata.parse(JSON.parse(text));
  } catch (cause) {
    throw new ClientError('ANSWER_INVALID', "The chaincode's metadata cannot be read.", { cause });
  }
}

function differencesOf(
  { request, response, commits }: TransactionDefinition,
  { parameters, returns, tag }: Transaction,
): MetadataDifference['what'][] {
  const [, described = ''] = parameters[0]?.description.split(SCHEMA_MARK) ?? [];
  const here = (schema: z.ZodType, io: 'input' | 'output'): string =>
    canonicalJson(z.toJSONSchema(schema, { unrepresentable: 'any', io }));
  return [
    ...(sameJson(described, here(request, 'input')) ? [] : ['request' as const]),
    ...(canonicalJson(returns?.contentSchema ?? null) === here(response, 'output')
      ? []
      : ['response' as const]),
    ...(tag.includes('SUBMIT') === commits ? [] : ['commits' as const]),
  ];
}

function sameJson(text: string, canonical: string): boolean {
  try {
    return canonicalJson(JSON.parse(text)) === canonical;
  } catch {
    return false;
  }
}
