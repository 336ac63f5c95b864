'use strict';
const { createHash } = require('node:crypto');
const { Contract } = require('fabric-contract-api');

/** A key-value contract that also tells who calls and what came as transient data. */
class SampleContract extends Contract {
  constructor() {
    super('sample');
  }

  async put(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
    ctx.stub.setEvent('put', Buffer.from(key));
    return value;
  }

  async get(ctx, key) {
    const value = await ctx.stub.getState(key);
    if (value.length === 0) throw new Error(`no value under ${key}`);
    return value.toString();
  }

  async whoAmI(ctx) {
    const { clientIdentity } = ctx;
    return JSON.stringify({
      mspId: clientIdentity.getMSPID(),
      role: clientIdentity.getAttributeValue('strokeshare.role'),
    });
  }

  async hashOfTransient(ctx) {
    const data = ctx.stub.getTransient().get('data');
    if (data === undefined) throw new Error('no transient data');
    return createHash('sha256').update(data).digest('hex');
  }
}

exports.contracts = [SampleContract];
