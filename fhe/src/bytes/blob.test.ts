import fc from 'fast-check';
import { parameterSet } from '../params/parameterSet.js';
import { blobHash, blobHeaderLength, decodeBlob, encodeBlob, readBlobHeader } from './blob.js';
import { FheError } from '../errors.js';

const header = { kind: 'ciphertext', parameterSetId: parameterSet('toy').id, epochId: 'epoch-1' } as const;
const body = Uint8Array.of(1, 2, 3);

describe('blobs', () => {
  it('give back header and body', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/), fc.uint8Array(), (epochId, bytes) => {
        const blob = encodeBlob({ ...header, epochId }, bytes);
        expect(readBlobHeader(blob)).toEqual({ ...header, epochId });
        expect(decodeBlob(blob, { ...header, epochId })).toEqual(bytes);
      }),
    );
  });

  it('refuse another kind, parameter set or epoch with the code that says which', () => {
    const blob = encodeBlob(header, body);
    const code = (expected: object): string => {
      try {
        decodeBlob(blob, { ...header, ...expected });
      } catch (error) {
        if (error instanceof FheError) return error.code;
      }
      return 'accepted';
    };
    expect(code({ kind: 'publicKey' })).toBe('BLOB_MALFORMED');
    expect(code({ parameterSetId: parameterSet('standard').id })).toBe('PARAMETER_SET_MISMATCH');
    expect(code({ epochId: 'epoch-2' })).toBe('EPOCH_MISMATCH');
    expect(code({})).toBe('accepted');
  });

  it('have one form only: no changed header byte is accepted', () => {
    const blob = encodeBlob(header, body);
    for (let at = 0; at < blobHeaderLength; at++) {
      const changed = blob.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => decodeBlob(changed, header)).toThrow(FheError);
    }
    expect(() => decodeBlob(blob.subarray(0, blobHeaderLength - 1), header)).toThrow(FheError);
  });

  it('refuse epoch ids without a form', () => {
    for (const epochId of ['', 'a b', 'é', 'x'.repeat(65)]) {
      expect(() => encodeBlob({ ...header, epochId }, body)).toThrow(FheError);
    }
  });

  it('are named by a hash over header and body', () => {
    expect(blobHash(encodeBlob(header, body))).not.toBe(
      blobHash(encodeBlob({ ...header, epochId: 'e' }, body)),
    );
  });
});
