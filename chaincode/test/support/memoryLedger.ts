/**
 * Channels in memory around fabric-shim's own dispatcher: sorted state, read sets with versions checked at commit,
 * chaincode-to-chaincode calls. A transaction never reads its own writes.
 */
import './environment.js';
import { createHash } from 'node:crypto';
import { JSONSerializer } from 'fabric-contract-api';
import Dispatcher from 'fabric-shim/lib/contract-spi/chaincodefromcontract.js';
import { ChaincodeStub } from 'fabric-shim';
import {
  MAXIMUM_VALUE_BYTES,
  type TransactionDefinition,
  type RequestOf,
  type ResponseOf,
} from '../../src/index.js';
import { contractClasses } from '../../src/chaincode.js';
import { type Identity } from './identities.js';

interface Versioned {
  value: Buffer;
  version: number;
}
type Chaincode = keyof typeof contractClasses;

const serializers = { transaction: 'jsonSerializer', serializers: { jsonSerializer: JSONSerializer } };
const dispatchers = {
  consortium: new Dispatcher([...contractClasses.consortium], serializers, {}, 'test', '1'),
  records: new Dispatcher([...contractClasses.records], serializers, {}, 'test', '1'),
};

/** What GetMetadata answers for a chaincode. */
export const metadataOf = (chaincode: Chaincode) => dispatchers[chaincode].metadata;

export interface Call {
  identity: Identity;
  transient?: Record<string, Uint8Array>;
}

interface Range {
  prefix: string;
  seen: { key: string; version: number }[];
  /** Whether it was read to its end. */
  whole: boolean;
}

/** A simulated transaction, not committed yet. */
export interface Simulation {
  channel: string;
  response: unknown;
  reads: Map<string, number>;
  /** What ranges gave, as far as they were read. */
  ranges?: Range[];
  writes: Map<string, Buffer>;
  /** Keys whose endorsement policy was set, with the policy. */
  policies: Map<string, Buffer>;
  event: { name: string; payload: unknown } | undefined;
}

export class MvccConflict extends Error {}

export class MemoryLedger {
  /** The clock that clients put into their transactions. */
  now = Date.parse('2026-11-22T12:00:00Z');
  /** How many single keys transactions have read. */
  reads = 0;
  readonly events: { channel: string; name: string; payload: unknown }[] = [];
  readonly #channels = new Map<string, Map<string, Versioned>>();
  #height = 0;

  /** All keys and values of a channel, for assertions. */
  state(channel: string): Map<string, string> {
    return new Map(
      [...this.#channel(channel)]
        .filter(([, { value }]) => value.length > 0)
        .map(([key, { value }]) => [key, value.toString()]),
    );
  }

  /** Another ledger with the same state, which goes its own way. */
  fork(): MemoryLedger {
    const other = new MemoryLedger();
    other.now = this.now;
    other.#height = this.#height;
    for (const [name, state] of this.#channels) other.#channels.set(name, new Map(state));
    return other;
  }

  /** Simulates and, for a submitted transaction, commits. */
  async call<D extends TransactionDefinition>(
    definition: D,
    request: RequestOf<D>,
    call: Call,
    channel?: string,
  ): Promise<ResponseOf<D>> {
    const simulation = await this.simulate(definition, request, call, channel);
    if (definition.commits) this.commit(simulation);
    return simulation.response as ResponseOf<D>;
  }

  async simulate(
    definition: TransactionDefinition,
    request: unknown,
    { identity, transient = {} }: Call,
    channel?: string,
  ): Promise<Simulation> {
    const chaincode: Chaincode = channel === undefined ? 'consortium' : 'records';
    return this.#run(
      chaincode,
      channel ?? 'consortium',
      [definition.name, JSON.stringify(request)],
      identity,
      transient,
    );
  }

  /** @throws MvccConflict if a key that was read, or a key in a range that was read, has been written since. */
  commit({ channel, reads, ranges = [], writes, event }: Simulation): void {
    const state = this.#channel(channel);
    for (const [key, version] of reads)
      if ((state.get(key)?.version ?? 0) !== version) throw new MvccConflict(JSON.stringify(key));
    const phantom = ranges.find((range) => !isUnchanged(state, range));
    if (phantom) throw new MvccConflict(JSON.stringify(phantom.prefix));
    this.#height += 1;
    // What all tests of the contracts write is held to the bound that the design sets.
    for (const [key, value] of writes)
      if (value.length > MAXIMUM_VALUE_BYTES)
        throw new Error(`${JSON.stringify(key)} has ${value.length} bytes`);
    for (const [key, value] of writes) state.set(key, { value, version: this.#height });
    if (event) this.events.push({ channel, ...event });
  }

  #channel(name: string): Map<string, Versioned> {
    let state = this.#channels.get(name);
    if (!state) this.#channels.set(name, (state = new Map()));
    return state;
  }

  async #run(
    chaincode: Chaincode,
    channel: string,
    args: string[],
    identity: Identity,
    transient: Record<string, Uint8Array>,
  ): Promise<Simulation> {
    const state = this.#channel(channel);
    const ranges: Range[] = [];
    const simulation: Simulation = {
      channel,
      response: undefined,
      reads: new Map(),
      ranges,
      writes: new Map(),
      policies: new Map(),
      event: undefined,
    };
    const prototype = ChaincodeStub.prototype;
    const stub = {
      getBufferArgs: () => args.map((arg) => Buffer.from(arg)),
      getTxID: () =>
        createHash('sha256')
          .update([...args, identity.mspId, this.now, this.#height].join())
          .digest('hex'),
      getChannelID: () => channel,
      getCreator: () => ({ mspid: identity.mspId, idBytes: Buffer.from(identity.certificate) }),
      getTransient: () =>
        new Map(Object.entries(transient).map(([name, bytes]) => [name, Buffer.from(bytes)])),
      getTxTimestamp: () => ({ seconds: Math.floor(this.now / 1000), nanos: (this.now % 1000) * 1_000_000 }),
      createCompositeKey: prototype.createCompositeKey,
      splitCompositeKey: prototype.splitCompositeKey,
      getState: (key: string) => {
        const found = state.get(key);
        this.reads += 1;
        simulation.reads.set(key, found?.version ?? 0);
        return Promise.resolve(found?.value ?? Buffer.alloc(0));
      },
      putState: (key: string, value: Uint8Array) => {
        simulation.writes.set(key, Buffer.from(value));
        return Promise.resolve();
      },
      // An empty value reads as none.
      deleteState: (key: string) => {
        simulation.writes.set(key, Buffer.alloc(0));
        return Promise.resolve();
      },
      setStateValidationParameter: (key: string, policy: Uint8Array) => {
        simulation.policies.set(key, Buffer.from(policy));
        return Promise.resolve();
      },
      async *getStateByPartialCompositeKey(type: string, attributes: string[]) {
        const range: Range = {
          prefix: prototype.createCompositeKey(type, attributes),
          seen: [],
          whole: false,
        };
        ranges.push(range);
        for (const [key, { value, version }] of below(state, range.prefix)) {
          range.seen.push({ key, version });
          yield await Promise.resolve({ key, value });
        }
        range.whole = true;
      },
      async *getStateByPartialCompositeKeyWithPagination(
        type: string,
        attributes: string[],
        pageSize: number,
        bookmark: string,
      ) {
        let given = 0;
        for await (const entry of this.getStateByPartialCompositeKey(type, attributes)) {
          if (inBytes(entry.key, bookmark) < 0) continue;
          if (given++ === pageSize) return;
          yield entry;
        }
      },
      setEvent: (name: string, payload: Uint8Array) => {
        simulation.event = { name, payload: JSON.parse(Buffer.from(payload).toString()) };
      },
      invokeChaincode: async (name: Chaincode, innerArgs: string[], innerChannel: string) => {
        const inner = await this.#run(name, innerChannel, innerArgs, identity, transient);
        return { status: 200, payload: Buffer.from(JSON.stringify(inner.response)) };
      },
    };
    const { status, message, payload } = await dispatchers[chaincode].Invoke(stub);
    if (status !== 200) throw new Error(message);
    simulation.response = JSON.parse(Buffer.from(payload).toString());
    return simulation;
  }
}

/** The records below a beginning of their keys, in the order of the keys. */
function below(state: ReadonlyMap<string, Versioned>, prefix: string): [string, Versioned][] {
  return [...state]
    .filter(([key, { value }]) => key.startsWith(prefix) && value.length > 0)
    .sort(([a], [b]) => inBytes(a, b));
}

/** Whether a range would give the same still, up to where it was read. */
function isUnchanged(state: ReadonlyMap<string, Versioned>, { prefix, seen, whole }: Range): boolean {
  const now = below(state, prefix).slice(0, whole ? undefined : seen.length);
  return (
    now.length === seen.length &&
    now.every(([key, { version }], i) => seen[i]?.key === key && seen[i].version === version)
  );
}

const inBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
