'use strict';

const { randomUUID } = require('node:crypto');
const { Worker } = require('node:worker_threads');
const { Contract } = require('fabric-contract-api');

/** How contracts misbehave: errors, non-determinism, long work. */
class Behaviour extends Contract {
  constructor() {
    super('Behaviour');
  }

  async fail(ctx, message) {
    await ctx.stub.putState('written before a failure', Buffer.from(message));
    throw new Error(message);
  }

  /** A refusal that has to be on the ledger is written, not thrown. */
  async refuse(ctx, key, reason) {
    const refusal = JSON.stringify({ status: 'REFUSED', code: 'NOT_ALLOWED', reason });
    await ctx.stub.putState(key, Buffer.from(refusal));
    return refusal;
  }

  async random(ctx, key) {
    await ctx.stub.putState(key, Buffer.from(randomUUID()));
  }

  async randomResult() {
    return randomUUID();
  }

  async failAt(ctx, mspIds, key) {
    if (JSON.parse(mspIds).includes(ctx.stub.getMspID()))
      throw new Error(`${ctx.stub.getMspID()} refuses to endorse this`);
    await ctx.stub.putState(key, Buffer.from('endorsed'));
    return 'endorsed';
  }

  /** Keeps the process busy, as evaluating on the shim's own thread would. */
  async block(_ctx, milliseconds) {
    spin(Number(milliseconds));
    return 'done';
  }

  /** The same work in a worker thread. */
  async work(_ctx, milliseconds) {
    const source = `(${spin.toString()})(require('node:worker_threads').workerData)`;
    const worker = new Worker(source, { eval: true, workerData: Number(milliseconds) });
    await new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', resolve);
    });
    return 'done';
  }

  async exit() {
    process.exit(1);
  }

  async never() {
    await new Promise(() => undefined);
  }
}

function spin(milliseconds) {
  const end = process.hrtime.bigint() + BigInt(milliseconds) * 1_000_000n;
  while (process.hrtime.bigint() < end);
}

module.exports = { Behaviour };
