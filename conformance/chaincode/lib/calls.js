'use strict';

const { Contract } = require('fabric-contract-api');

/** Chaincode to chaincode, and events. */
class Calls extends Contract {
  constructor() {
    super('Calls');
  }

  async call(ctx, chaincode, channel, args) {
    const { status, message, payload } = await ctx.stub.invokeChaincode(chaincode, JSON.parse(args), channel);
    return JSON.stringify({ status, payload: Buffer.from(payload).toString(), ...(message && { message }) });
  }

  /** Calls another chaincode and keeps its answer, so that the transaction writes where it was called. */
  async callAndPut(ctx, chaincode, channel, args, key) {
    const { payload } = await ctx.stub.invokeChaincode(chaincode, JSON.parse(args), channel);
    await ctx.stub.putState(key, payload);
    return Buffer.from(payload).toString();
  }

  async emit(ctx, name, payload) {
    await ctx.stub.putState(`emitted ${name}`, Buffer.from(payload));
    ctx.stub.setEvent(name, Buffer.from(payload));
  }

  async emitTwice(ctx) {
    ctx.stub.setEvent('first', Buffer.from('1'));
    ctx.stub.setEvent('second', Buffer.from('2'));
  }

  async emitWithoutWriting(ctx, name) {
    ctx.stub.setEvent(name, Buffer.from('nothing written'));
  }

  async emitAndRead(ctx, name, key) {
    const value = await ctx.stub.getState(key);
    await ctx.stub.putState(key, Buffer.from(`${value.toString()}.`));
    ctx.stub.setEvent(name, Buffer.from(ctx.stub.getTxID()));
  }

  async emitAndFail(ctx, name) {
    ctx.stub.setEvent(name, Buffer.from('never'));
    throw new Error('failed after an event');
  }

  async emitAndCall(ctx, name, chaincode, args) {
    await ctx.stub.invokeChaincode(chaincode, JSON.parse(args), '');
    ctx.stub.setEvent(name, Buffer.from('of the caller'));
  }
}

module.exports = { Calls };
