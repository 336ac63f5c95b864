import { requestPermission, type PermissionView, type RequestPermission } from '@strokeshare/chaincode';
import { Command } from 'commander';
import { allPages } from '../agent/context.js';
import type { Connection } from '../connect/index.js';
import { ClientError } from '../errors.js';
import { readShapedFile } from '../named-file.js';
import { columns, connected, show } from './connected.js';
import { connectedCommands, type Common } from './options.js';
import { proposeOptions, proposeWith, type ProposeFlags } from './agreement-text.js';

/** `strokeshare access ...`: what a researcher may use, from asking to withdrawing. */
export function accessCommand(signal: AbortSignal): Command {
  const access = new Command('access').description('what researchers may use');
  const command = connectedCommands(access);

  command(
    'request <file>',
    'ask for access, as a researcher, with what a YAML file says',
    'request examples/access/ist-outcomes.yaml --profile researcher.json',
  ).action(async (path: string, { profile, json }: Common) => {
    const request = await readRequest(path);
    await connected(profile, async (connection) => {
      const made = await connection.researcher().permissions.request(request, { signal });
      show(
        made,
        json,
        () => `${made.permissionId} is requested; an institution proposes the agreement that grants it.`,
      );
    });
  });
  command('list', 'list what was asked for', 'list --profile agent.json').action(
    ({ profile, json }: Common) =>
      connected(profile, async (connection) => {
        const { permissions } = connection.auditor();
        const items = await allPages((after) =>
          permissions.list(after === undefined ? {} : { after }, { signal }),
        );
        show(items, json, () =>
          columns([
            ['permission', 'researcher', 'purpose', 'datasets', 'until'],
            ...items.map(({ permissionId, researcherId, purpose, datasets, until }) => [
              permissionId,
              researcherId,
              purpose,
              datasets.join(' '),
              until,
            ]),
          ]),
        );
      }),
  );
  command(
    'show <permission>',
    'print one with its state, and what is granted of it',
    'show ist-outcomes-request --profile researcher.json',
  ).action((permissionId: string, { profile }: Common) =>
    connected(profile, async (connection) =>
      console.log(JSON.stringify(await permissionOf(connection, permissionId, signal), undefined, 2)),
    ),
  );
  proposeOptions(
    command(
      'grant <permission>',
      'propose the agreement that grants it, as an institution',
      'grant ist-outcomes-request --agreement ist-outcomes --text agreement.txt --profile agent.json',
    ),
  ).action((permissionId: string, flags: ProposeFlags) => proposeWith(permissionId, flags, signal));
  for (const [name, description, done] of [
    ['revoke', 'end it for good, as an owner of the data: its agreement is terminated', 'revoked'],
    ['suspend', 'suspend it for the own institution', 'suspended'],
    ['resume', 'lift the own suspension', 'resumed'],
  ] as const) {
    const why = name === 'resume' ? '' : ' --reason "Under review"';
    const typed = `${name} ist-outcomes-request${why} --profile agent.json`;
    const one = command(`${name} <permission>`, description, typed);
    if (name !== 'resume') one.requiredOption('--reason <text>');
    one.action((permissionId: string, { profile, json, reason = '' }: Common & { reason?: string }) =>
      connected(profile, async (connection) => {
        const { agreements } = connection.institution();
        const agreementId = agreementOf(await permissionOf(connection, permissionId, signal));
        if (name === 'revoke') await agreements.terminate({ agreementId, reason }, { signal });
        else if (name === 'suspend') await agreements.suspend({ agreementId, reason }, { signal });
        else await agreements.resume({ agreementId }, { signal });
        const now = await permissionOf(connection, permissionId, signal);
        show(now, json, () => `${permissionId} is ${done}; its state is ${now.state}.`);
      }),
    );
  }
  return access;
}

function permissionOf(
  connection: Connection,
  permissionId: string,
  signal: AbortSignal,
): Promise<PermissionView> {
  return connection.auditor().permissions.get({ permissionId }, { signal });
}

function agreementOf({ permissionId, agreementId }: PermissionView): string {
  if (agreementId !== undefined) return agreementId;
  throw new ClientError('REQUEST_INVALID', `The permission ${permissionId} has no agreement yet.`);
}

function readRequest(path: string): Promise<RequestPermission> {
  const file = { what: 'The request', code: 'REQUEST_INVALID', form: 'YAML' } as const;
  return readShapedFile(path, file, requestPermission);
}
