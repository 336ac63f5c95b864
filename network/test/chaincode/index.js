'use strict';

const { createHash, randomUUID } = require('node:crypto');
const { Contract } = require('fabric-contract-api');
const { KeyEndorsementPolicy } = require('fabric-shim');

/** Reads an iterator to its end and closes it. */
async function all(iterator, toJson) {
  const found = [];
  for (let result = await iterator.next(); !result.done; result = await iterator.next()) {
    found.push(toJson(result.value));
  }
  await iterator.close();
  return found;
}

const keyAndValue = ({ key, value }) => [key, value.toString()];

/** One transaction for each thing that a contract can ask of its peer. */
class Everything extends Contract {
  async put(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
    return value;
  }

  async putMany(ctx, prefix, count, value) {
    for (let index = 0; index < Number(count); index++) {
      await ctx.stub.putState(`${prefix}${String(index).padStart(4, '0')}`, Buffer.from(value));
    }
  }

  async putSize(ctx, key, bytes) {
    await ctx.stub.putState(key, Buffer.alloc(Number(bytes), 0x61));
  }

  async size(ctx, key) {
    return (await ctx.stub.getState(key)).length;
  }

  async get(ctx, key) {
    return (await ctx.stub.getState(key)).toString();
  }

  async del(ctx, key) {
    await ctx.stub.deleteState(key);
  }

  async increment(ctx, key) {
    const next = Number((await ctx.stub.getState(key)).toString()) + 1;
    await ctx.stub.putState(key, Buffer.from(String(next)));
    return next;
  }

  async readAfterWrite(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
    return (await ctx.stub.getState(key)).toString();
  }

  async range(ctx, start, end) {
    return JSON.stringify(await all(await ctx.stub.getStateByRange(start, end), keyAndValue));
  }

  async countRange(ctx, start, end, into) {
    const found = await all(await ctx.stub.getStateByRange(start, end), ({ key }) => key);
    await ctx.stub.putState(into, Buffer.from(String(found.length)));
    return found.length;
  }

  async page(ctx, start, end, size, bookmark) {
    const { iterator, metadata } = await ctx.stub.getStateByRangeWithPagination(
      start,
      end,
      Number(size),
      bookmark,
    );
    return JSON.stringify({ found: await all(iterator, ({ key }) => key), ...metadata });
  }

  async pageThenPut(ctx, start, end) {
    const { iterator } = await ctx.stub.getStateByRangeWithPagination(start, end, 1, '');
    await iterator.close();
    await ctx.stub.putState('written after a page', Buffer.from('x'));
  }

  async putComposite(ctx, type, first, second, value) {
    await ctx.stub.putState(ctx.stub.createCompositeKey(type, [first, second]), Buffer.from(value));
  }

  async byPartialKey(ctx, type, first) {
    const iterator = await ctx.stub.getStateByPartialCompositeKey(type, [first]);
    return JSON.stringify(
      await all(iterator, ({ key, value }) => [ctx.stub.splitCompositeKey(key).attributes, value.toString()]),
    );
  }

  async history(ctx, key) {
    const iterator = await ctx.stub.getHistoryForKey(key);
    return JSON.stringify(
      await all(iterator, ({ txId, value, isDelete }) => ({ txId, value: value.toString(), isDelete })),
    );
  }

  async requireEndorsement(ctx, key, mspIds) {
    const policy = new KeyEndorsementPolicy();
    policy.addOrgs('PEER', ...JSON.parse(mspIds));
    await ctx.stub.setStateValidationParameter(key, policy.getPolicy());
  }

  async endorsersOf(ctx, key) {
    const policy = await ctx.stub.getStateValidationParameter(key);
    return policy && policy.length > 0 ? JSON.stringify(new KeyEndorsementPolicy(policy).listOrgs()) : '[]';
  }

  async call(ctx, chaincode, channel, args) {
    const { status, payload, message } = await ctx.stub.invokeChaincode(chaincode, JSON.parse(args), channel);
    return JSON.stringify({ status, payload: payload.toString(), message });
  }

  async emit(ctx, name, payload) {
    await ctx.stub.putState('emitted', Buffer.from(payload));
    ctx.stub.setEvent(name, Buffer.from(payload));
  }

  async emitTwice(ctx) {
    ctx.stub.setEvent('first', Buffer.from('1'));
    ctx.stub.setEvent('second', Buffer.from('2'));
  }

  async fail(ctx, message) {
    await ctx.stub.putState('failed', Buffer.from(message));
    throw new Error(message);
  }

  async random(ctx) {
    await ctx.stub.putState('random', Buffer.from(randomUUID()));
  }

  async exit() {
    process.exit(1);
  }

  async never() {
    await new Promise(() => undefined);
  }

  async transientHash(ctx, name) {
    const value = ctx.stub.getTransient().get(name);
    const hash = createHash('sha256').update(value).digest('hex');
    await ctx.stub.putState(`hash of ${name}`, Buffer.from(hash));
    return hash;
  }

  async whoAmI(ctx) {
    return JSON.stringify({
      mspId: ctx.clientIdentity.getMSPID(),
      role: ctx.clientIdentity.getAttributeValue('strokeshare.role'),
      channel: ctx.stub.getChannelID(),
      txId: ctx.stub.getTxID(),
      seconds: ctx.stub.getTxTimestamp().seconds,
    });
  }

  async query(ctx, selector) {
    return JSON.stringify(await all(await ctx.stub.getQueryResult(selector), keyAndValue));
  }

  async privateData(ctx, collection, key) {
    return (await ctx.stub.getPrivateData(collection, key)).toString();
  }
}

module.exports.contracts = [Everything];
