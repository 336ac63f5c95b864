import { Resources } from './resources.js';

test('closes in reverse order, all of them, and throws the first failure', async () => {
  const closed: string[] = [];
  const resources = new Resources();
  resources.use({ [Symbol.dispose]: () => closed.push('first') });
  resources.defer(() => {
    throw new Error('the second fails');
  });
  resources.use({
    [Symbol.asyncDispose]: async () => {
      closed.push('third');
    },
  });
  await expect(resources[Symbol.asyncDispose]()).rejects.toThrow('the second fails');
  expect(closed).toEqual(['third', 'first']);
  await resources[Symbol.asyncDispose]();
  expect(closed).toHaveLength(2);
});
