import { generateSealingKeyPair, openSealed, sealingOverhead, sealTo } from './hpke.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('sealed messages', () => {
  it('open with the right key and purpose only, and unchanged', async () => {
    const [keys, others] = [await generateSealingKeyPair(), await generateSealingKeyPair()];
    const message = text('17 of 230');
    const sealed = await sealTo(keys.publicKey, message, text('cell a'));
    expect(sealed).toHaveLength(message.length + sealingOverhead);
    expect(await openSealed(keys, sealed, text('cell a'))).toEqual(message);
    const invalid = { code: 'SEALED_MESSAGE_INVALID' };
    await expect(openSealed(others, sealed, text('cell a'))).rejects.toMatchObject(invalid);
    await expect(openSealed(keys, sealed, text('cell b'))).rejects.toMatchObject(invalid);
    for (const at of [0, 1, 1122, sealed.length - 1]) {
      const changed = sealed.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(openSealed(keys, changed, text('cell a'))).rejects.toMatchObject(invalid);
    }
    await expect(openSealed(keys, sealed.subarray(0, 50), text('cell a'))).rejects.toMatchObject(invalid);
  });

  it('take Buffers and leave them as they are', async () => {
    const keys = await generateSealingKeyPair();
    const message = Buffer.from('17 of 230');
    const sealed = Buffer.from(await sealTo(Buffer.from(keys.publicKey), message, Buffer.from('cell')));
    expect(message.toString()).toBe('17 of 230');
    const opened = await openSealed(
      { privateKey: Buffer.from(keys.privateKey) },
      sealed,
      Buffer.from('cell'),
    );
    expect(opened).toEqual(text('17 of 230'));
  });

  it('are random: the same message sealed twice differs', async () => {
    const { publicKey } = await generateSealingKeyPair();
    const [a, b] = [
      await sealTo(publicKey, text('x'), text('')),
      await sealTo(publicKey, text('x'), text('')),
    ];
    expect(a).not.toEqual(b);
  });

  it('need keys of the right length', async () => {
    const invalid = { code: 'SEALING_KEY_INVALID' };
    await expect(sealTo(new Uint8Array(5), text('x'), text(''))).rejects.toMatchObject(invalid);
    await expect(openSealed({ privateKey: new Uint8Array(5) }, text('x'), text(''))).rejects.toMatchObject(
      invalid,
    );
  });
});
