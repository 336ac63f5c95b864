'use strict';

const { createHash } = require('node:crypto');
const { Contract } = require('fabric-contract-api');

/** What a contract learns of its caller, its transaction and its arguments. */
class Identity extends Contract {
  constructor() {
    super('Identity');
  }

  async who(ctx) {
    const { clientIdentity: client, stub } = ctx;
    return JSON.stringify({
      mspId: client.getMSPID(),
      role: client.getAttributeValue('role'),
      id: client.getID(),
      creator: stub.getCreator().mspid,
      channel: stub.getChannelID(),
      txId: stub.getTxID(),
      seconds: Number(stub.getTxTimestamp().seconds),
      peer: stub.getMspID(),
      binding: stub.getBinding(),
    });
  }

  /** The organisation whose chaincode process answers. */
  async peer(ctx) {
    return ctx.stub.getMspID();
  }

  async argumentsOf(ctx) {
    return JSON.stringify(ctx.stub.getStringArgs());
  }

  async echo(_ctx, text) {
    return text;
  }

  async echoSize(_ctx, bytes) {
    return 'x'.repeat(Number(bytes));
  }

  async nothing() {}

  async transientNames(ctx) {
    return JSON.stringify([...ctx.stub.getTransient().keys()].sort());
  }

  async transientHash(ctx, name, key) {
    const value = ctx.stub.getTransient().get(name) ?? Buffer.alloc(0);
    const hash = createHash('sha256').update(value).digest('hex');
    await ctx.stub.putState(key, Buffer.from(hash));
    return hash;
  }

  async onlyRole(ctx, role) {
    if (!ctx.clientIdentity.assertAttributeValue('role', role)) throw new Error(`only for the role ${role}`);
    return 'welcome';
  }
}

module.exports = { Identity };
