'use strict';
const { Contract } = require('fabric-contract-api');

/** The smallest contract that shows what the tests of the network need to see. */
class Basic extends Contract {
  async put(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
  }

  /** Writes something of this transaction and tells it. */
  async stamp(ctx, key) {
    await ctx.stub.putState(key, Buffer.from(ctx.stub.getTxID()));
    return ctx.stub.getTxID();
  }

  async get(ctx, key) {
    const value = await ctx.stub.getState(key);
    if (value.length === 0) throw new Error(`there is no ${key}`);
    return value.toString();
  }

  /** Who calls, and in which organisation's process: only the first is the same everywhere. */
  async whoAmI(ctx) {
    return JSON.stringify({
      mspId: ctx.clientIdentity.getMSPID(),
      role: ctx.clientIdentity.getAttributeValue('strokeshare.role'),
      process: process.env.CORE_PEER_LOCALMSPID,
      greeting: process.env.GREETING ?? null,
    });
  }
}

exports.contracts = [Basic];
