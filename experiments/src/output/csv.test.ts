import { csv } from './csv.js';

test('cells that hold commas or quotes are quoted, and numbers are short', () => {
  const rows = [
    { name: 'a, "b"', value: 1 / 3 },
    { name: 'c', value: 1000 },
  ];
  expect(csv(rows)).toBe('name,value\n"a, ""b""",0.333333\nc,1000\n');
});
