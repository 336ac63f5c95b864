import { z } from 'zod';
import { policyText, type ChannelConfigJson } from './channel-update.js';

/** What a proposal would change, for a person who is to sign it. */
export interface UpdateDescription {
  readonly channel: string;
  /** MSP ids. */
  readonly adds: readonly string[];
  readonly removes: readonly string[];
  readonly policies: readonly { readonly name: string; readonly before: string; readonly after: string }[];
  /** Paths of everything else that it touches, e.g. `/Orderer/values/BatchSize`. */
  readonly others: readonly string[];
  /** MSP ids of those who have signed. */
  readonly signedBy: readonly string[];
}

const elementSchema = z.looseObject({
  version: z.coerce.string().default('0'),
  policy: z.looseObject({ type: z.int(), value: z.unknown() }).nullish(),
});
const elements = z
  .record(z.string(), elementSchema)
  .nullish()
  .transform((value) => value ?? {});

interface Group {
  version: string;
  groups: Record<string, Group>;
  values: Record<string, z.infer<typeof elementSchema>>;
  policies: Record<string, z.infer<typeof elementSchema>>;
}

const groupSchema: z.ZodType<Group> = z.lazy(() =>
  z.looseObject({
    version: z.coerce.string().default('0'),
    groups: z
      .record(z.string(), groupSchema)
      .nullish()
      .transform((value) => value ?? {}),
    values: elements,
    policies: elements,
  }),
);

const proposalSchema = z.looseObject({
  payload: z.looseObject({
    data: z.looseObject({
      config_update: z.looseObject({ channel_id: z.string(), write_set: groupSchema }),
      signatures: z
        .array(
          z.looseObject({
            signature_header: z.looseObject({ creator: z.looseObject({ mspid: z.string() }) }),
          }),
        )
        .nullish(),
    }),
  }),
});

/**
 * Reads a proposal (decoded `common.Envelope`) against the configuration that it would change. By Fabric's rule
 * (common/configtx), what a write set names with another version than the one in force is changed, all else is only
 * mentioned; so nothing that would change can hide here.
 */
export function describeChange(proposal: unknown, config: ChannelConfigJson): UpdateDescription {
  const { config_update: update, signatures } = proposalSchema.parse(proposal).payload.data;
  const current = groupSchema.parse(config.channel_group);
  const before = current.groups['Application'];
  const after = update.write_set.groups['Application'];
  const changed = changedPaths(update.write_set, current, '');

  const written = Object.keys(after?.groups ?? {});
  const adds = written.filter((mspId) => !(mspId in (before?.groups ?? {})));
  const removes = changed.includes('/Application')
    ? Object.keys(before?.groups ?? {}).filter((mspId) => !written.includes(mspId))
    : [];
  const policies = changed.flatMap((path) => {
    const name = /^\/Application\/policies\/(\w+)$/.exec(path)?.[1];
    return name === undefined
      ? []
      : [{ name, before: textOf(before?.policies[name]), after: textOf(after?.policies[name]) }];
  });
  const told = (path: string): boolean =>
    path === '/Application' ||
    /^\/Application\/policies\/\w+$/.test(path) ||
    adds.some((mspId) => path === `/Application/${mspId}` || path.startsWith(`/Application/${mspId}/`));
  return {
    channel: update.channel_id,
    adds,
    removes,
    policies,
    others: changed.filter((path) => !told(path)),
    signedBy: (signatures ?? []).map(({ signature_header: header }) => header.creator.mspid),
  };
}

function changedPaths(written: Group, current: Group | undefined, path: string): string[] {
  const itself = written.version === current?.version ? [] : [path === '' ? '/' : path];
  const inner = (['values', 'policies'] as const).flatMap((kind) =>
    Object.entries(written[kind])
      .filter(([name, { version }]) => current?.[kind][name]?.version !== version)
      .map(([name]) => `${path}/${kind}/${name}`),
  );
  const groups = Object.entries(written.groups).flatMap(([name, group]) =>
    changedPaths(group, current?.groups[name], `${path}/${name}`),
  );
  return [...itself, ...inner, ...groups];
}

function textOf(element: z.infer<typeof elementSchema> | undefined): string {
  return element?.policy ? policyText(element.policy) : 'none';
}
