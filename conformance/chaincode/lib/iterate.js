'use strict';

/** Reads an iterator to its end, closes it and returns what `pick` makes of each entry. */
async function collect(iterator, pick) {
  const found = [];
  for (let result = await iterator.next(); !result.done; result = await iterator.next()) {
    found.push(pick(result.value));
  }
  await iterator.close();
  return found;
}

const keyOf = ({ key }) => key;
const entryOf = ({ key, value }) => [key, Buffer.from(value).toString()];

module.exports = { collect, entryOf, keyOf };
