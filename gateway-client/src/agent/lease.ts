import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { ClientError } from '../errors.js';
import { makePrivateFolder } from './durable-file.js';

/**
 * The right to act for an institution: of all processes on a folder one has it at a time. Two that acted at once would
 * abort each other's key ceremonies (whose secrets are in one process alone) and write one release journal twice.
 *
 * What holds it is the operating system's lock of a LevelDB database that nothing is stored in: it ends with its
 * process, however that ends, so that nothing has to be cleared up and nobody has to guess whether a holder still lives.
 */
export class AgentLease implements AsyncDisposable {
  private constructor(private readonly database: ClassicLevel) {}

  /**
   * Takes the lease.
   *
   * @param folder - the agent's folder.
   * @throws ClientError `AGENT_RUNNING` while another process has it.
   */
  static async take(folder: string): Promise<AgentLease> {
    await makePrivateFolder(folder);
    const database = new ClassicLevel(join(folder, 'lease'));
    try {
      await database.open();
      return new AgentLease(database);
    } catch (cause) {
      if (!isLocked(cause)) throw cause;
      throw new ClientError('AGENT_RUNNING', `Another agent acts for the folder ${folder}.`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database.close();
  }
}

function isLocked(error: unknown): boolean {
  for (let cause = error; typeof cause === 'object' && cause !== null; cause = (cause as Error).cause)
    if ('code' in cause && cause.code === 'LEVEL_LOCKED') return true;
  return false;
}
