import { StorageError } from './errors.js';

/**
 * Gives up the rights of root for those of a system user, for good.
 *
 * @throws StorageError `CONFIG_INVALID` where there is no such user, or the process is not root.
 */
export function becomeUser(user: string): void {
  const name = /^\d+$/.test(user) ? Number(user) : user;
  const { setgid, setuid, setgroups } = process;
  if (!setgid || !setuid || !setgroups)
    throw new StorageError('CONFIG_INVALID', 'This system has no users to change to.');
  try {
    setgroups.call(process, []);
    // The group of the same name, as system users have one.
    setgid.call(process, name);
    setuid.call(process, name);
  } catch (cause) {
    throw new StorageError('CONFIG_INVALID', `The process cannot become the user ${user}.`, { cause });
  }
}
