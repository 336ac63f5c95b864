/**
 * The kernel as it was compiled: nothing in it may depend on a word. WebAssembly has few ways to let it: a branch or a
 * selection on a 64-bit value, a division, an indirect call, an address. Words are 64 bits wide, addresses and
 * counters 32, so that the types tell them apart.
 */
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';

const disassembler = join(dirname(require.resolve('binaryen/package.json')), 'bin', 'wasm-dis');
const wasm = join(__dirname, '..', '..', 'dist', 'ring', 'kernel.wasm');
const text = execFileSync(process.execPath, [disassembler, wasm], { encoding: 'utf8' });
const lines = text.split('\n').map((line) => line.trim());

describe('the compiled kernel', () => {
  it('has no selection, division, indirect call, table or comparison of words', () => {
    const found = lines.filter((line) =>
      /\((select|call_indirect|br_table|i(32|64)\.(div|rem)_|i64\.(eqz|eq|ne|lt|gt|le|ge)|i32\.wrap_i64)/.test(
        line,
      ),
    );
    expect(found).toEqual([]);
  });

  it('branches on its loop counters alone', () => {
    const conditions = lines.flatMap((line, i) => (/^\((if|br_if)\b/.test(line) ? [lines[i + 1]] : []));
    expect(conditions.length).toBeGreaterThan(0);
    for (const condition of conditions) expect(condition).toMatch(/^\(i32\.(lt|gt|le|ge)_[us]$/);
  });
});
