import { nearest } from './nearest.js';

describe('the nearest name', () => {
  it.each([
    ['basik', 'basic'],
    ['mychanel', 'mychannel'],
    ['createasset', 'CreateAsset'],
    ['GetAllAsset', 'GetAllAssets'],
    ['zzz', undefined],
    ['unrelatedName', undefined],
  ])('to %s is %s', (name, expected) => {
    expect(nearest(name, ['basic', 'mychannel', 'CreateAsset', 'GetAllAssets', 'ReadAsset'])).toBe(expected);
  });

  it('is nothing among nothing', () => {
    expect(nearest('basic', [])).toBeUndefined();
  });
});
