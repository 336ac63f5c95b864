/**
 * The authorisation matrix beyond roles: for every transaction that commits on the consortium channel, who is a party,
 * who is not although the role is right, and what a revocation, an expiry, a termination or a withdrawal makes of it.
 * A transaction without a row fails the test.
 */
import { type AnalysisQuery, generateSealingKeyPair } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import {
  consortium,
  type ContractErrorCode,
  definitionsOf,
  type JobView,
  readContractError,
  type Refusal,
  type TransactionDefinition,
} from '../src/index.js';
import { Alliance, EPOCH } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { type Institution } from './support/foundation.js';
import { type Identity, identity, signingKeys } from './support/identities.js';
import { type MemoryLedger } from './support/memoryLedger.js';

const { AgreementContract, DatasetContract, InstitutionContract, JobContract, ResearcherContract } =
  consortium;
const NOT_AUTHORISED: readonly (ContractErrorCode | undefined)[] = [
  'ROLE_REQUIRED',
  'NOT_ENROLLED',
  'NOT_REGISTERED',
  'NOT_A_PARTY',
  'LEVEL_INSUFFICIENT',
];
const mean: AnalysisQuery = { version: 1, statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }] };
const HASH = '0'.repeat(64);
const HOUR = 3_600_000;
const KEYS = { signingKey: signingKeys().pem, sealingKey: Buffer.alloc(1216).toString('base64') };
const motion = { motionId: 'm-1' };
const agreement = { agreementId: 'agreement-x' };
const reason = { reason: 'It is asked.' };
const job = { jobId: 'job-1' };
const epoch = { epochId: EPOCH };

/** A well-formed request, and what the same asked by somebody of the right role who is no party comes to. */
interface Row {
  readonly request: object;
  /** `any`: there are no parties, and everybody with the role and the registration may. */
  readonly others: 'NOT_A_PARTY' | 'LEVEL_INSUFFICIENT' | 'any';
}
const parties = (request: object): Row => ({ request, others: 'NOT_A_PARTY' });
const anybody = (request: object): Row => ({ request, others: 'any' });

const commitments = { epochId: EPOCH, label: 'seed', commitment: HASH };
const proposal = { agreementId: 'agreement-new', permissionId: 'permission-free', textHash: HASH, terms: '' };
const rows: Readonly<Record<string, Row>> = {
  'InstitutionContract:Found': parties({
    members: [{ mspId: 'Hospital1MSP', level: 'county' }],
    rule: 'all',
  }),
  'InstitutionContract:Enroll': parties({ name: 'One', ...KEYS }),
  'InstitutionContract:RotateKeys': anybody(KEYS),
  'InstitutionContract:Propose': anybody({ ...motion, kind: 'exclude', mspId: 'Hospital2MSP', ...reason }),
  'InstitutionContract:Vote': anybody({ motionId: 'open', approve: true }),
  'InstitutionContract:CloseMotion': anybody({ motionId: 'open' }),
  'ResearcherContract:Register': anybody({ name: 'A', affiliation: 'B', sealingKey: KEYS.sealingKey }),
  'ResearcherContract:RotateKey': anybody({ sealingKey: KEYS.sealingKey }),
  'ResearcherContract:Suspend': parties({ researcherId: 'ResearchMSP/CN=alice,OU=client', ...reason }),
  'ResearcherContract:Restore': parties({ researcherId: 'ResearchMSP/CN=alice,OU=client' }),
  'ResearcherContract:Affiliate': parties({
    researcherId: 'ResearchMSP/CN=alice,OU=client',
    affiliation: 'C',
  }),
  'KeyEpochContract:Open': parties({
    epochId: 'epoch-2',
    parameterSet: 'toy',
    threshold: 2,
    members: ['Hospital1MSP', 'Hospital2MSP'],
  }),
  'KeyEpochContract:Commit': parties(commitments),
  'KeyEpochContract:Reveal': parties({ epochId: EPOCH, label: 'relin1', nonce: HASH, bytesHash: HASH }),
  'KeyEpochContract:Confirm': parties({ ...epoch, publicKeyHash: HASH, relinKeysHash: HASH }),
  'KeyEpochContract:Advance': parties({ ...epoch, from: 'OPEN' }),
  'KeyEpochContract:Retire': parties({ ...epoch, ...reason }),
  'KeyEpochContract:Abort': parties({ ...epoch, ...reason }),
  'KeyEpochContract:Restart': parties(epoch),
  'KeyEpochContract:Dispute': parties({ ...epoch, attempt: 1, ...reason }),
  'KeyEpochContract:Disclose': parties({ ...epoch, attempt: 1, disclosure: 'AAAA' }),
  'KeyEpochContract:Judge': parties({ ...epoch, attempt: 1, offenders: [] }),
  'DatasetContract:Register': anybody({}),
  'DatasetContract:OpenVersion': parties({ datasetId: 'ist-1' }),
  'DatasetContract:Attest': parties({
    datasetId: 'ist-1',
    version: 2,
    recordsChannel: 'hospital1-records',
    block: 1,
  }),
  'DatasetContract:Withdraw': parties({ datasetId: 'ist-1', ...reason }),
  'PermissionContract:Request': anybody({}),
  'AgreementContract:Propose': parties(proposal),
  'AgreementContract:Amend': parties({ ...agreement, textHash: HASH, terms: '' }),
  'AgreementContract:Sign': parties({ ...agreement, signature: '' }),
  'AgreementContract:Refuse': parties({ ...agreement, ...reason }),
  'AgreementContract:Suspend': parties({ ...agreement, ...reason }),
  'AgreementContract:Resume': parties(agreement),
  'AgreementContract:Terminate': parties({ ...agreement, ...reason }),
  // Under another's agreement a job is refused by policy, on the ledger.
  'JobContract:Submit': anybody({}),
  'JobContract:Cancel': parties({ ...job, ...reason }),
  'JobContract:Stop': parties(job),
  'JobContract:ReplaceCommittee': parties(job),
  'JobContract:PostPartials': parties({ ...job, partials: {}, withheld: [] }),
  'JobContract:Aggregate': parties({ ...job, cells: [] }),
  'JobContract:PostCountShares': parties({ ...job, sealed: {} }),
  'JobContract:PostVerdict': parties({ ...job, verdicts: {}, signature: '' }),
  'JobContract:OpenCounts': parties({ ...job, shares: {} }),
  'JobContract:CloseCounts': parties(job),
  'JobContract:DealVector': parties({ ...job, sealed: {} }),
  'JobContract:PostValueShares': parties({ ...job, sealed: '' }),
  'JobContract:CloseRelease': parties(job),
  'EndorsementContract:Choose': parties({ scheme: 'none', parameters: {}, depth: 1 }),
  'EndorsementContract:Seal': anybody({ proof: '', batch: [] }),
};

/**
 * At which state of a job a transaction is decided on by the permission function. The others write nothing that a
 * right was needed for: who asked may always give up, and shares are out once the release is closed.
 */
const governed: Readonly<Record<string, readonly JobView['state'][]>> = {
  Submit: ['SUBMITTED'],
  Stop: ['EVALUATING', 'AGGREGATED', 'COUNTED'],
  PostPartials: ['EVALUATING'],
  Aggregate: ['EVALUATING'],
  ReplaceCommittee: ['AGGREGATED', 'COUNTED'],
  PostCountShares: ['AGGREGATED'],
  PostVerdict: ['AGGREGATED'],
  OpenCounts: ['AGGREGATED'],
  CloseCounts: ['AGGREGATED'],
  DealVector: ['COUNTED'],
  PostValueShares: ['COUNTED'],
};
const ungoverned: Readonly<Record<string, readonly JobView['state'][]>> = {
  Cancel: ['EVALUATING', 'AGGREGATED', 'COUNTED'],
  CloseRelease: ['COUNTED'],
};

const committing = definitionsOf('consortium').filter(({ commits }) => commits);

describe('the authorisation matrix', () => {
  let alliance: Alliance;
  let outsider: Institution;
  let bob: Identity;
  let carol: Identity;
  let operator: Identity;
  beforeAll(async () => {
    alliance = await Alliance.ready([cohort(60, 1), cohort(60, 2)], 2);
    await alliance.agree('x');
    await alliance.request('free');
    const { privateKey, pem } = signingKeys();
    outsider = {
      ...alliance.member(0),
      mspId: 'Hospital9MSP',
      agent: await identity('Hospital9MSP', 'agent', 'institution'),
      signing: privateKey,
      signingPem: pem,
      sealing: await generateSealingKeyPair(),
    };
    await decide('in', { kind: 'admit', mspId: outsider.mspId, level: 'county' });
    await alliance.enroll(outsider);
    const open = { motionId: 'open', kind: 'exclude' as const, mspId: 'Hospital8MSP', ...reason };
    await decide('in-8', { kind: 'admit', mspId: 'Hospital8MSP', level: 'county' });
    await alliance.as(alliance.member(0), InstitutionContract.Propose, open);
    bob = await identity('OtherMSP', 'bob', 'researcher');
    carol = await identity('OtherMSP', 'carol', 'researcher');
    operator = await identity('OtherMSP', 'operator', 'operator');
    for (const caller of [bob, carol])
      await alliance.ledger.call(
        ResearcherContract.Register,
        { name: 'Bob', affiliation: 'Other', sealingKey: KEYS.sealingKey },
        { identity: caller },
      );
    await alliance.submit('job-1', mean, agreement);
    alliance.ledger.now += 1000;
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  const decide = async (
    motionId: string,
    content: { kind: 'admit'; mspId: string; level: 'county' } | { kind: 'exclude'; mspId: string },
    ledger: MemoryLedger = alliance.ledger,
  ) => {
    const as = (index: number) => ({ identity: alliance.member(index).agent });
    await ledger.call(InstitutionContract.Propose, { motionId, ...content, ...reason }, as(0));
    for (const index of [0, 1])
      await ledger.call(InstitutionContract.Vote, { motionId, approve: true }, as(index));
    await ledger.call(InstitutionContract.CloseMotion, { motionId }, as(0));
  };
  const codeOf = async (
    definition: TransactionDefinition,
    request: object,
    caller: Identity,
    ledger: MemoryLedger = alliance.ledger,
  ): Promise<ContractErrorCode | undefined> => {
    try {
      await ledger.simulate(definition, request, { identity: caller });
    } catch (error) {
      return readContractError((error as Error).message)?.code;
    }
    return undefined;
  };
  /** Who is a party, by the role that the transaction asks for; and somebody else of the same role. */
  const right = ({ roles: [role] }: TransactionDefinition): Identity =>
    role === 'institution'
      ? alliance.member(0).agent
      : role === 'researcher'
        ? alliance.researcher
        : alliance.operator;
  const wrong = ({ name, roles: [role] }: TransactionDefinition): Identity => {
    if (name === 'InstitutionContract:Found' || name === 'InstitutionContract:Enroll') return seatless;
    return role === 'institution' ? outsider.agent : role === 'researcher' ? bob : operator;
  };
  let seatless: Identity;
  beforeAll(async () => {
    seatless = await identity('Hospital7MSP', 'agent', 'institution');
  });

  it('has a row for every transaction that commits, and no other', () => {
    expect(Object.keys(rows).sort()).toEqual(committing.map(({ name }) => name).sort());
    const jobs = committing.filter(({ contract }) => contract === 'JobContract');
    expect(Object.keys({ ...governed, ...ungoverned }).sort()).toEqual(
      jobs.map(({ transaction }) => transaction).sort(),
    );
  });

  // Parties of a job are those that it needs in its state: they are checked where it is in it, below.
  const outsideOfJobs = committing.filter(({ contract }) => contract !== 'JobContract');
  it.each(outsideOfJobs.map((definition) => [definition.name, definition] as const))(
    '%s: parties, and others of the same role',
    async (name, definition) => {
      const { request, others } = rows[name]!;
      expect(NOT_AUTHORISED).not.toContain((await codeOf(definition, request, right(definition))) ?? '');
      const code = await codeOf(definition, request, wrong(definition));
      expect(NOT_AUTHORISED.includes(code) ? code : 'any').toBe(others);
    },
  );

  const registered = committing.filter(({ registration }) => registration !== 'none');
  it.each(registered.map((definition) => [definition.name, definition] as const))(
    '%s: nobody whose registration is revoked',
    async (name, definition) => {
      const ledger = alliance.ledger.fork();
      await decide('out', { kind: 'exclude', mspId: outsider.mspId }, ledger);
      await ledger.call(
        ResearcherContract.Suspend,
        { researcherId: 'OtherMSP/CN=bob,OU=client', ...reason },
        { identity: operator },
      );
      const [revoked, code] =
        definition.registration === 'institution'
          ? ([outsider.agent, 'NOT_ENROLLED'] as const)
          : ([bob, 'NOT_REGISTERED'] as const);
      expect(await codeOf(definition, rows[name]!.request, revoked, ledger)).toBe(code);
    },
  );

  /** The same ledger in another world: a right is gone. */
  const losses: readonly [string, Refusal['rule'], (ledger: MemoryLedger) => unknown][] = [
    ['the agreement expired', 'period', (ledger) => (ledger.now += 12 * HOUR)],
    [
      'an owner terminated it',
      'agreement',
      (ledger) =>
        ledger.call(
          AgreementContract.Terminate,
          { ...short, ...reason },
          { identity: alliance.member(1).agent },
        ),
    ],
    [
      'an owner suspended it',
      'agreement',
      (ledger) =>
        ledger.call(
          AgreementContract.Suspend,
          { ...short, ...reason },
          { identity: alliance.member(1).agent },
        ),
    ],
    [
      'the researcher is suspended',
      'identity',
      (ledger) =>
        ledger.call(
          ResearcherContract.Suspend,
          { researcherId: 'ResearchMSP/CN=alice,OU=client', ...reason },
          { identity: alliance.operator },
        ),
    ],
    [
      'a dataset is withdrawn',
      'datasets',
      (ledger) =>
        ledger.call(
          DatasetContract.Withdraw,
          { datasetId: 'ist-2', ...reason },
          { identity: alliance.member(1).agent },
        ),
    ],
  ];
  const short = { agreementId: 'agreement-short' };

  /** What policy says of a step now: the rule that it would commit a refusal by, or nothing. */
  async function ruleAgainst(
    definition: TransactionDefinition,
    request: object,
    ledger: MemoryLedger,
  ): Promise<string | undefined> {
    try {
      const { response } = await ledger.simulate(definition, request, { identity: right(definition) });
      return (response as { refusal?: Refusal }).refusal?.rule;
    } catch (error) {
      const code = readContractError((error as Error).message)?.code;
      // Who is suspended does not even submit. All else is malformed for this stage, but not refused.
      return NOT_AUTHORISED.includes(code) ? code : undefined;
    }
  }

  it('decides again at every step of a job: whatever right is gone, the step commits a refusal', async () => {
    await alliance.agree('short', { until: new Date(alliance.ledger.now + 6 * HOUR).toISOString() });
    const checked = new Set<string>();
    const check = async (state: JobView['state']) => {
      for (const [name, states] of Object.entries({ ...governed, ...ungoverned })) {
        if (!states.includes(state)) continue;
        checked.add(name);
        const definition: TransactionDefinition = JobContract[name as keyof typeof JobContract];
        const submission = { jobId: 'job-s2', purpose: 'DUO:0000007', query: mean, ...short };
        const request =
          name === 'Submit' ? submission : { ...rows[`JobContract:${name}`]!.request, jobId: 'job-s' };
        const world = alliance.ledger.fork();
        // By then the holders have been silent for too long.
        if (name === 'ReplaceCommittee') world.now += 2 * HOUR;
        expect([name, await ruleAgainst(definition, request, world)]).toEqual([name, undefined]);
        // Under another's agreement a job is refused on the ledger: nothing is thrown.
        expect([name, await codeOf(definition, request, wrong(definition), world)]).toEqual([
          name,
          name === 'Submit' ? undefined : 'NOT_A_PARTY',
        ]);
        for (const [loss, rule, lose] of name in governed ? losses : []) {
          const ledger = world.fork();
          await lose(ledger);
          const expected = name === 'Submit' && rule === 'identity' ? 'NOT_REGISTERED' : rule;
          expect([name, loss, await ruleAgainst(definition, request, ledger)]).toEqual([
            name,
            loss,
            expected,
          ]);
        }
      }
    };
    await check('SUBMITTED');
    let running = await alliance.submit('job-s', mean, short);
    await alliance.evaluate(running, alliance.member(1));
    await check('EVALUATING');
    await alliance.evaluate(running, alliance.member(0));
    await alliance.aggregate(running);
    await check('AGGREGATED');
    running = await alliance.get('job-s');
    const shares = await alliance.judge(running, 20);
    await alliance.openCounts(running, shares, alliance.openCountCells(running));
    await alliance.as(alliance.member(0), JobContract.CloseCounts, { jobId: 'job-s' });
    await check('COUNTED');
    expect([...checked].sort()).toEqual(Object.keys({ ...governed, ...ungoverned }).sort());
  });
});
