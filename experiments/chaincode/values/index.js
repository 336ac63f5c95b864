'use strict';

const { Contract } = require('fabric-contract-api');

class Values extends Contract {
  async put(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
  }

  async get(ctx, key) {
    return (await ctx.stub.getState(key)).toString();
  }
}

module.exports.contracts = [Values];
