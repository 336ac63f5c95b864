import { type Backend, start } from './backends.js';
import { Bed } from './bed.js';
import { chaincodes } from './layout.js';

/** Starts the network of a backend with every chaincode of the suite, by default in a directory of its own. */
export async function prepare(backend: Exclude<Backend, 'existing'>, dir?: string): Promise<Bed> {
  const running = await start(backend, dir);
  try {
    // One brings the package to the peers, the others only define it under their names.
    const { everything, ...others } = chaincodes;
    await running.deploy(everything);
    await Promise.all(Object.values(others).map((chaincode) => running.deploy(chaincode)));
    return new Bed(running);
  } catch (error) {
    await running.close();
    throw error;
  }
}
