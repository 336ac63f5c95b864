import { deal } from './deal.js';

test('the largest group first, each to the smallest hospital so far', () => {
  const sizes = new Map([
    ['A', 5],
    ['B', 9],
    ['C', 4],
    ['D', 3],
    ['E', 3],
  ]);
  expect([...deal(sizes, 2)]).toEqual([
    ['B', 0],
    ['A', 1],
    ['C', 1],
    ['D', 0],
    ['E', 1],
  ]);
});

test('equal groups go by name, whatever the order they are given in', () => {
  const sizes = new Map([
    ['Z', 1],
    ['M', 1],
    ['A', 1],
  ]);
  expect([...deal(sizes, 3)]).toEqual([
    ['A', 0],
    ['M', 1],
    ['Z', 2],
  ]);
});
