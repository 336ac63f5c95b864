'use strict';

const { Contract } = require('fabric-contract-api');
const { KeyEndorsementPolicy } = require('fabric-shim');

/** Single keys: values, deletion, endorsement policies of keys. */
class State extends Contract {
  constructor() {
    super('State');
  }

  async put(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
    return value;
  }

  /** Writes each pair of a JSON object, in its order. */
  async putAll(ctx, json) {
    for (const [key, value] of Object.entries(JSON.parse(json)))
      await ctx.stub.putState(key, Buffer.from(value));
  }

  async putMany(ctx, prefix, count, value) {
    for (let index = 0; index < Number(count); index++)
      await ctx.stub.putState(`${prefix}${String(index).padStart(4, '0')}`, Buffer.from(value));
  }

  async putSize(ctx, key, bytes) {
    await ctx.stub.putState(key, Buffer.alloc(Number(bytes), 0x61));
  }

  async putTwice(ctx, key, first, second) {
    await ctx.stub.putState(key, Buffer.from(first));
    await ctx.stub.putState(key, Buffer.from(second));
  }

  async putThenDelete(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
    await ctx.stub.deleteState(key);
  }

  async get(ctx, key) {
    return (await ctx.stub.getState(key)).toString();
  }

  async size(ctx, key) {
    return (await ctx.stub.getState(key)).length;
  }

  async del(ctx, key) {
    await ctx.stub.deleteState(key);
  }

  async increment(ctx, key) {
    const next = Number((await ctx.stub.getState(key)).toString() || '0') + 1;
    await ctx.stub.putState(key, Buffer.from(String(next)));
    return next;
  }

  /** Copies a key, so that the transaction depends on one and writes another. */
  async copy(ctx, from, to) {
    const value = await ctx.stub.getState(from);
    await ctx.stub.putState(to, Buffer.from(`copy of ${value.toString()}`));
    return value.toString();
  }

  async readAfterWrite(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
    return (await ctx.stub.getState(key)).toString();
  }

  async readAfterDelete(ctx, key) {
    await ctx.stub.deleteState(key);
    return (await ctx.stub.getState(key)).toString();
  }

  /** Sets the policy of a key: peers (or members) of all these organisations. */
  async setPolicy(ctx, key, mspIds, role) {
    const policy = new KeyEndorsementPolicy();
    policy.addOrgs(role, ...JSON.parse(mspIds));
    await ctx.stub.setStateValidationParameter(key, policy.getPolicy());
  }

  async setPolicyAndPut(ctx, key, mspIds, value) {
    await this.setPolicy(ctx, key, mspIds, 'PEER');
    await ctx.stub.putState(key, Buffer.from(value));
  }

  async policyOf(ctx, key) {
    const policy = await ctx.stub.getStateValidationParameter(key);
    const known = policy && policy.length > 0;
    return JSON.stringify(known ? new KeyEndorsementPolicy(policy).listOrgs().sort() : []);
  }

  async policyAfterSet(ctx, key, mspIds) {
    await this.setPolicy(ctx, key, mspIds, 'PEER');
    return this.policyOf(ctx, key);
  }
}

module.exports = { State };
