import { privateRecords, schemes, sealedRoot, verifyChain } from '../src/index.js';
import { type EndorsementScheme } from '../src/endorsement/scheme.js';
import { CHANNEL, SealingChannel } from './support/mining.js';
import { rotation } from './support/rotation.js';

test('a scheme of another kind seals by its own rules, through the same transactions', async () => {
  schemes.set(rotation.name, rotation as EndorsementScheme);
  const { Choose, Sharing, Blocks, Scheme } = privateRecords.EndorsementContract;
  const channel = await SealingChannel.create();
  const members = channel.agents.map(({ mspId }) => mspId);
  await channel.ledger.call(
    Choose,
    { scheme: 'rotation', parameters: { members }, depth: 1 },
    { identity: channel.agents[0]! },
    CHANNEL,
  );
  const items = [await channel.enter(), await channel.enter(1)];
  for (const [turn, item] of items.entries()) {
    const { hash } = await channel.tip();
    const proof = Buffer.from(hash + sealedRoot([item]), 'hex');
    await expect(channel.seal(proof, [item], 1 - turn)).rejects.toThrow('BAD_SEAL');
    await channel.seal(proof, [item], turn);
    await expect(channel.seal(proof, [item], turn)).rejects.toThrow('STALE_TIP');
  }
  const states = await Promise.all(
    items.map(({ kind, id }) => channel.read(Sharing, { kind, id }).then(({ state }) => state)),
  );
  expect(states).toEqual(['CONFIRMED', 'CONFIRMED']);
  const { chosen } = await channel.read(Scheme, {});
  expect(await verifyChain(chosen!, (await channel.read(Blocks, {})).items)).toEqual(await channel.tip());
});

test('a scheme that the chaincode was not built with cannot be chosen', async () => {
  const channel = await SealingChannel.create();
  const choosing = channel.ledger.call(
    privateRecords.EndorsementContract.Choose,
    { scheme: 'stake', parameters: {}, depth: 1 },
    { identity: channel.agents[0]! },
    CHANNEL,
  );
  await expect(choosing).rejects.toThrow('NOT_FOUND');
});
