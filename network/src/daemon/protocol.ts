import { z } from 'zod';
import { channelSchema } from '../config/schema.js';
import { networkConfigSchema } from '../config/schema.js';
import { networkErrorCodes } from '../errors.js';

/*
 * What is said over the control socket: one connection carries one request and its answer, each a line of JSON; lines
 * with `progress` may come before the answer.
 */

/** A chaincode to be deployed; `path` and `argv` are ways to start it, of which the operation chose one. */
export const deploymentSchema = z.strictObject({
  channel: z.string(),
  name: z.string(),
  version: z.string(),
  /** Default: one more than the sequence committed last. */
  sequence: z.int().positive().optional(),
  label: z.string(),
  packageId: z.string(),
  argv: z.tuple([z.string()], z.string()),
  cwd: z.string(),
  env: z.record(z.string(), z.string()),
  /** Whether its server takes TLS settings as fabric-shim's does. */
  tls: z.boolean().default(false),
  /** MSP ids of the organisations that run the chaincode. */
  organizations: z.array(z.string()).min(1),
  endorsement: z.string().optional(),
});
export type Deployment = z.infer<typeof deploymentSchema>;

/** A deployment that was committed, as it is kept for the next start. */
export const recordedDeploymentSchema = deploymentSchema.extend({ sequence: z.int().positive() });
export type RecordedDeployment = z.infer<typeof recordedDeploymentSchema>;

export const requestSchema = z.discriminatedUnion('method', [
  /** `verify`: reads all blocks first, so that the answer names damaged files. */
  z.strictObject({ method: z.literal('status'), verify: z.boolean().optional() }),
  z.strictObject({ method: z.literal('deploy'), deployment: deploymentSchema }),
  z.strictObject({ method: z.literal('createChannel'), channel: channelSchema }),
  z.strictObject({ method: z.literal('reconfigure'), config: networkConfigSchema }),
  /** What is known of a transaction that failed; answered by `explanationSchema`. */
  z.strictObject({ method: z.literal('explain'), txId: z.string() }),
  z.strictObject({ method: z.literal('stop') }),
]);
export type Request = z.infer<typeof requestSchema>;

export const explanationSchema = z.array(z.string());

export const processStatusSchema = z.strictObject({
  mspId: z.string(),
  label: z.string(),
  packageId: z.string(),
  state: z.enum(['starting', 'running', 'restarting', 'stopped']),
  pid: z.int().optional(),
  address: z.string(),
  restarts: z.int(),
  lastExit: z.string().optional(),
  log: z.string(),
});

export const chaincodeStatusSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  sequence: z.int(),
  /** By MSP id: whether the peer can call the chaincode, and if not, why. */
  connections: z.record(z.string(), z.strictObject({ ready: z.boolean(), reason: z.string().optional() })),
});

export const channelStatusSchema = z.strictObject({
  name: z.string(),
  members: z.array(z.string()),
  /** Blocks held by each peer, by MSP id. */
  heights: z.record(z.string(), z.int()),
  chaincodes: z.array(chaincodeStatusSchema),
  /** What was found damaged, by MSP id of the node that holds the file. */
  damage: z.record(z.string(), z.string()).optional(),
});

/** Fabric's own processes, where the network runs on them. */
export const fabricStatusSchema = z.strictObject({
  version: z.string(),
  consensus: z.enum(['raft', 'bft']),
  nodes: z.array(
    z.strictObject({
      kind: z.enum(['orderer', 'peer']),
      name: z.string(),
      mspId: z.string(),
      address: z.string(),
      /** Prometheus metrics and health, by mutual TLS. */
      operations: z.string(),
      state: z.enum(['starting', 'running', 'restarting', 'stopped']),
      pid: z.int().optional(),
      restarts: z.int(),
      log: z.string(),
    }),
  ),
});
export type FabricStatus = z.infer<typeof fabricStatusSchema>;

/** What a running daemon says of itself. */
export const daemonStatusSchema = z.strictObject({
  pid: z.int(),
  startedAt: z.string(),
  peers: z.array(z.strictObject({ mspId: z.string(), name: z.string(), address: z.string() })),
  channels: z.array(channelStatusSchema),
  processes: z.array(processStatusSchema),
  fabric: fabricStatusSchema.optional(),
  /** The organisations' Fabric CA servers, where the network has them. */
  authorities: z
    .array(
      z.strictObject({
        domain: z.string(),
        url: z.string(),
        state: z.enum(['starting', 'running', 'restarting', 'stopped']),
        pid: z.int().optional(),
        restarts: z.int(),
        log: z.string(),
      }),
    )
    .optional(),
});
export type DaemonStatus = z.infer<typeof daemonStatusSchema>;

export const answerSchema = z.union([
  z.strictObject({ progress: z.string() }),
  z.strictObject({ result: z.unknown() }),
  z.strictObject({ error: z.strictObject({ code: z.enum(networkErrorCodes), message: z.string() }) }),
]);
export type Answer = z.infer<typeof answerSchema>;
