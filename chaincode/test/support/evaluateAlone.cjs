/**
 * A process of its own that evaluates what it is given, with the built arithmetic that contracts and agents run, and
 * prints the hashes: `node evaluateAlone.cjs <file>`. The file is JSON and names the blobs' files.
 */
const { readFileSync } = require('node:fs');
const { blobHash, decodeBlob, Evaluator, parameterSet, sumOfC0 } = require('@strokeshare/fhe');

const blob = (file) => new Uint8Array(readFileSync(file));

async function main() {
  const {
    set: name,
    plan,
    cells,
    epochId,
    relinKeys,
    batches,
    partials,
  } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const set = parameterSet(name);
  const evaluator = await Evaluator.create(set);
  await evaluator.loadRelinKeys(epochId, blob(relinKeys));
  const columns = batches.map((batch) => new Map(batch.map(([column, file]) => [column, blob(file)])));
  const evaluated = await evaluator.evaluate({ plan, cells, epochId, batches: columns });
  const sums = {};
  for (const [cell, files] of Object.entries(partials)) {
    const sum = await evaluator.add(epochId, files.map(blob));
    const body = decodeBlob(sum, { kind: 'ciphertext', parameterSetId: set.id, epochId });
    sums[cell] = { hash: blobHash(sum), c0: Buffer.from(sumOfC0(body, set)).toString('base64') };
  }
  const hashes = Object.fromEntries([...evaluated].map(([cell, result]) => [cell, blobHash(result)]));
  await evaluator[Symbol.asyncDispose]();
  process.stdout.write(
    JSON.stringify({ node: process.version, planHash: plan.hash, partials: hashes, sums }),
  );
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
