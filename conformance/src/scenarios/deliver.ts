import { common, orderer, type peer } from '@hyperledger/fabric-protos';
import { type Bed } from '../harness/bed.js';
import { confined, shared } from '../harness/layout.js';
import { impostor } from '../harness/pki.js';
import { position, seekEnvelope } from '../harness/rawGateway.js';

const { Status } = common;

/** The deliver service, asked for blocks one by one. */
export function deliver(bed: () => Bed): void {
  const statusOf = (answers: readonly peer.DeliverResponse[]): number | undefined =>
    answers.at(-1)?.getStatus();
  const numbersOf = (answers: readonly peer.DeliverResponse[]): (number | undefined)[] =>
    answers.slice(0, -1).map((answer) => answer.getBlock()?.getHeader()?.getNumber());

  const ask = async (
    seek: Parameters<typeof seekEnvelope>[2],
    channel: string = shared,
  ): Promise<peer.DeliverResponse[]> =>
    bed()
      .raw()
      .deliver(await seekEnvelope(channel, bed().pki.user('Org1MSP'), seek));

  it('delivers a part of the chain and says that this was all', async () => {
    const answers = await ask({ start: position.at(1), stop: position.at(3) });
    expect(numbersOf(answers)).toEqual([1, 2, 3]);
    expect(statusOf(answers)).toBe(Status.SUCCESS);
  });

  it('delivers the newest block', async () => {
    const answers = await ask({ start: position.newest(), stop: position.newest() });
    expect(answers).toHaveLength(2);
    expect(statusOf(answers)).toBe(Status.SUCCESS);
  });

  it('delivers the oldest block', async () => {
    const answers = await ask({ start: position.oldest(), stop: position.oldest() });
    expect(numbersOf(answers)).toEqual([0]);
  });

  it('does not wait for a block where told not to', async () => {
    const answers = await ask({
      start: position.newest(),
      stop: position.at(1_000_000),
      behavior: orderer.SeekInfo.SeekBehavior.FAIL_IF_NOT_READY,
    });
    expect(statusOf(answers)).toBe(Status.NOT_FOUND);
  });

  it('has no block far beyond the newest', async () => {
    const answers = await ask({ start: position.at(1_000_000), stop: position.at(1_000_001) });
    expect(answers.map((answer) => answer.getStatus())).toEqual([Status.NOT_FOUND]);
  });

  it('refuses an end before the start', async () => {
    const answers = await ask({ start: position.at(3), stop: position.at(1) });
    expect(answers.map((answer) => answer.getStatus())).toEqual([Status.BAD_REQUEST]);
  });

  it('knows no channel that is not there', async () => {
    const answers = await ask({ start: position.at(0), stop: position.at(0) }, 'absent');
    expect(answers.map((answer) => answer.getStatus())).toEqual([Status.NOT_FOUND]);
  });

  it('refuses a request that is 20 minutes old', async () => {
    const timestamp = new Date(Date.now() - 20 * 60_000);
    const answers = await ask({ start: position.at(0), stop: position.at(0), timestamp });
    expect(answers.map((answer) => answer.getStatus())).toEqual([Status.BAD_REQUEST]);
  });

  it('refuses an impostor', async () => {
    const stranger = await impostor('Org1MSP', 'client');
    const seek = { start: position.at(0), stop: position.at(0) };
    const answers = await bed()
      .raw()
      .deliver(await seekEnvelope(shared, stranger, seek));
    expect(answers.map((answer) => answer.getStatus())).toEqual([Status.FORBIDDEN]);
  });

  it('refuses an organisation that is not a member', async () => {
    const seek = { start: position.at(0), stop: position.at(0) };
    const answers = await bed()
      .raw()
      .deliver(await seekEnvelope(confined, bed().pki.user('Org2MSP'), seek));
    expect(answers.map((answer) => answer.getStatus())).toEqual([Status.FORBIDDEN]);
  });

  it('refuses the signature of another', async () => {
    const seek = { start: position.at(0), stop: position.at(0) };
    const [user, other] = [bed().pki.user('Org1MSP'), bed().pki.user('Org2MSP')];
    const answers = await bed()
      .raw()
      .deliver(await seekEnvelope(shared, user, seek, other));
    expect(answers.map((answer) => answer.getStatus())).toEqual([Status.FORBIDDEN]);
  });

  it('filters on request', async () => {
    const seek = { start: position.at(1), stop: position.at(1) };
    const answers = await bed()
      .raw()
      .deliver(await seekEnvelope(shared, bed().pki.user('Org1MSP'), seek), true);
    expect(answers[0]?.getFilteredBlock()?.getNumber()).toBe(1);
  });
}
