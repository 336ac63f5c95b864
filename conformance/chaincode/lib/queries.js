'use strict';

const { Contract } = require('fabric-contract-api');
const { collect, entryOf, keyOf } = require('./iterate.js');

/** Ranges, pages, composite keys and history. */
class Queries extends Contract {
  constructor() {
    super('Queries');
  }

  async range(ctx, start, end) {
    return JSON.stringify(await collect(await ctx.stub.getStateByRange(start, end), entryOf));
  }

  async keys(ctx, start, end) {
    return JSON.stringify(await collect(await ctx.stub.getStateByRange(start, end), keyOf));
  }

  /** Reads the first entries of a range and closes the iterator before its end. */
  async firstOf(ctx, start, end, count, into) {
    const iterator = await ctx.stub.getStateByRange(start, end);
    const keys = [];
    while (keys.length < Number(count)) {
      const { value, done } = await iterator.next();
      if (done) break;
      keys.push(value.key);
    }
    await iterator.close();
    if (into) await ctx.stub.putState(into, Buffer.from(keys.join(' ')));
    return JSON.stringify(keys);
  }

  async countInto(ctx, start, end, into) {
    const found = await collect(await ctx.stub.getStateByRange(start, end), keyOf);
    await ctx.stub.putState(into, Buffer.from(String(found.length)));
    return found.length;
  }

  async rangeAfterWrite(ctx, start, end, key) {
    await ctx.stub.putState(key, Buffer.from('written'));
    return this.keys(ctx, start, end);
  }

  async page(ctx, start, end, size, bookmark) {
    const { iterator, metadata } = await ctx.stub.getStateByRangeWithPagination(
      start,
      end,
      Number(size),
      bookmark,
    );
    return JSON.stringify({ found: await collect(iterator, keyOf), ...metadata });
  }

  async pageThenPut(ctx, start, end) {
    const { iterator } = await ctx.stub.getStateByRangeWithPagination(start, end, 1, '');
    await iterator.close();
    await ctx.stub.putState('written after a page', Buffer.from('x'));
  }

  async putThenPage(ctx, start, end) {
    await ctx.stub.putState('written before a page', Buffer.from('x'));
    const { iterator } = await ctx.stub.getStateByRangeWithPagination(start, end, 1, '');
    await iterator.close();
  }

  async putComposite(ctx, type, attributes, value) {
    const key = ctx.stub.createCompositeKey(type, JSON.parse(attributes));
    await ctx.stub.putState(key, Buffer.from(value));
  }

  async composites(ctx, type, attributes) {
    const iterator = await ctx.stub.getStateByPartialCompositeKey(type, JSON.parse(attributes));
    const entry = ({ key, value }) => [
      ctx.stub.splitCompositeKey(key).attributes,
      Buffer.from(value).toString(),
    ];
    return JSON.stringify(await collect(iterator, entry));
  }

  async compositePage(ctx, type, attributes, size, bookmark) {
    const { iterator, metadata } = await ctx.stub.getStateByPartialCompositeKeyWithPagination(
      type,
      JSON.parse(attributes),
      Number(size),
      bookmark,
    );
    const attributesOf = ({ key }) => ctx.stub.splitCompositeKey(key).attributes;
    const found = await collect(iterator, attributesOf);
    return JSON.stringify({ found, count: metadata.fetchedRecordsCount, bookmark: metadata.bookmark });
  }

  async countComposites(ctx, type, into) {
    const iterator = await ctx.stub.getStateByPartialCompositeKey(type, []);
    const found = await collect(iterator, keyOf);
    await ctx.stub.putState(into, Buffer.from(String(found.length)));
    return found.length;
  }

  async history(ctx, key) {
    const entry = ({ txId, value, isDelete, timestamp }) => ({
      txId,
      value: Buffer.from(value).toString(),
      isDelete,
      seconds: Number(timestamp.seconds),
    });
    return JSON.stringify(await collect(await ctx.stub.getHistoryForKey(key), entry));
  }

  async historyInto(ctx, key, into) {
    const found = await collect(await ctx.stub.getHistoryForKey(key), ({ txId }) => txId);
    await ctx.stub.putState(into, Buffer.from(String(found.length)));
    return found.length;
  }

  async richQuery(ctx, selector) {
    return JSON.stringify(await collect(await ctx.stub.getQueryResult(selector), entryOf));
  }

  async privateData(ctx, collection, key) {
    return (await ctx.stub.getPrivateData(collection, key)).toString();
  }
}

module.exports = { Queries };
