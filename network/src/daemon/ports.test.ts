import { createServer, type AddressInfo } from 'node:net';
import { findPort, isListening, isPortFree, portOwner } from './ports.js';

describe('ports', () => {
  const server = createServer();
  let port = 0;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => server.close());

  it('sees that a port is taken, and by whom', async () => {
    await expect(isPortFree(port)).resolves.toBe(false);
    await expect(isListening(port)).resolves.toBe(true);
    expect(portOwner(port)).toContain(`(process ${process.pid})`);
  });

  it('passes by taken and reserved ports', async () => {
    const found = await findPort(port, new Set([port + 1]));
    expect(found).toBeGreaterThan(port + 1);
    await expect(isPortFree(found)).resolves.toBe(true);
  });
});
