import { type Identity, identity } from './support/identities.js';
import { MemoryLedger, metadataOf } from './support/memoryLedger.js';
import { generateSealingKeyPair } from '@strokeshare/fhe';
import {
  consortium,
  type ContractErrorCode,
  definitionsOf,
  readContractError,
  type Role,
  roles,
  type TransactionDefinition,
} from '../src/index.js';
import { requestSchema, responseSchema } from '../src/ledger/serves.js';
import { signingKeys } from './support/identities.js';

const chaincodes = ['consortium', 'records'] as const;
const identities = new Map<Role | 'none', Identity>();
const strangers = new Map<Role, Identity>();
let ledger: MemoryLedger;

beforeAll(async () => {
  ledger = new MemoryLedger();
  identities.set('none', await identity('Hospital1MSP', 'nobody'));
  for (const role of roles) {
    identities.set(role, await identity(role === 'researcher' ? 'ResearchMSP' : 'Hospital1MSP', role, role));
    strangers.set(role, await identity('Hospital9MSP', role, role));
  }
  const sealingKey = Buffer.from((await generateSealingKeyPair()).publicKey).toString('base64');
  await ledger.call(
    consortium.InstitutionContract.Found,
    { members: [{ mspId: 'Hospital1MSP', level: 'county' }], rule: 'majority' },
    { identity: identities.get('institution')! },
  );
  await ledger.call(
    consortium.InstitutionContract.Enroll,
    { name: 'One', signingKey: signingKeys().pem, sealingKey },
    { identity: identities.get('institution')! },
  );
  await ledger.call(
    consortium.ResearcherContract.Register,
    { name: 'Alice', affiliation: 'Institute', sealingKey },
    { identity: identities.get('researcher')! },
  );
});

/** Calls with a request that no schema accepts: BAD_REQUEST says that authorisation was passed. */
async function codeOf(
  definition: TransactionDefinition,
  caller: Identity,
): Promise<ContractErrorCode | undefined> {
  const channel = definitionsOf('consortium').includes(definition) ? undefined : 'hospital1-records';
  try {
    await ledger.simulate(definition, { '': 0 }, { identity: caller }, channel);
  } catch (error) {
    return readContractError((error as Error).message)?.code;
  }
  return undefined;
}

describe.each(chaincodes)('%s: every transaction and every caller', (chaincode) => {
  const definitions = definitionsOf(chaincode);
  const matrix = definitions.flatMap((definition) =>
    ([...roles, 'none'] as const).map((role) => [definition.name, role, definition] as const),
  );

  it.each(matrix)('%s by %s', async (_name, role, definition) => {
    const allowed = role !== 'none' && definition.roles.includes(role);
    expect(await codeOf(definition, identities.get(role)!)).toBe(allowed ? 'BAD_REQUEST' : 'ROLE_REQUIRED');
  });

  it('has one method for every definition, and its metadata says what it is', () => {
    const { contracts } = metadataOf(chaincode);
    const served = Object.entries(contracts)
      .filter(([name]) => name !== 'org.hyperledger.fabric')
      .flatMap(([name, { transactions }]) =>
        transactions.map((transaction) => `${name}:${transaction.name}`),
      );
    expect(served.sort()).toEqual(definitions.map(({ name }) => name).sort());
    for (const { contract, transaction, commits, summary } of definitions) {
      expect(contracts[contract]!.info.title).toBe(contract);
      const entry = contracts[contract]!.transactions.find(({ name }) => name === transaction)!;
      expect(entry.tag).toEqual(commits ? ['SUBMIT', 'submitTx'] : ['EVALUATE']);
      const definition = definitions.find(({ name }) => name === `${contract}:${transaction}`)!;
      expect(entry.returns).toEqual({
        type: 'string',
        contentMediaType: 'application/json',
        contentSchema: responseSchema(definition),
      });
      expect(entry.parameters).toHaveLength(1);
      expect(entry.parameters![0]).toMatchObject({ name: 'request', schema: { type: 'string' } });
      const [text, schema] = entry.parameters![0]!.description.split(' JSON of: ');
      expect(text).toBe(summary);
      expect(JSON.parse(schema!)).toEqual(requestSchema(definition));
      expect(requestSchema(definition)).toHaveProperty('$schema');
    }
  });
});

describe('registration', () => {
  const registered = chaincodes
    .flatMap((chaincode) => definitionsOf(chaincode))
    .filter(({ registration }) => registration !== 'none');

  it.each(registered.map((definition) => [definition.name, definition] as const))(
    '%s asks for it',
    async (_name, definition) => {
      const [role] = definition.roles;
      const code = definition.registration === 'institution' ? 'NOT_ENROLLED' : 'NOT_REGISTERED';
      expect(await codeOf(definition, strangers.get(role!)!)).toBe(code);
    },
  );
});

describe('identity', () => {
  it('is the subject, so that a renewed certificate serves and another agent does not', async () => {
    const { Open } = consortium.KeyEpochContract;
    expect(await codeOf(Open, await identity('Hospital1MSP', 'institution', 'institution'))).toBe(
      'BAD_REQUEST',
    );
    expect(await codeOf(Open, await identity('Hospital1MSP', 'other', 'institution'))).toBe('NOT_ENROLLED');
    expect(await codeOf(Open, await identity('Hospital2MSP', 'institution', 'institution'))).toBe(
      'NOT_ENROLLED',
    );
  });

  it('cannot be enrolled twice', async () => {
    const request = {
      name: 'One',
      signingKey: signingKeys().pem,
      sealingKey: Buffer.alloc(1216).toString('base64'),
    };
    const call = ledger.call(consortium.InstitutionContract.Enroll, request, {
      identity: identities.get('institution')!,
    });
    await expect(call).rejects.toThrow('ALREADY_EXISTS');
  });
});
