import { normalizeFlags } from './flags.js';

describe('normalizeFlags', () => {
  it('reads the flags of fabric-samples as long ones and leaves everything else', () => {
    expect(
      normalizeFlags([
        'deployCC',
        '-ccn',
        'basic',
        '-c',
        'mychannel',
        '--json',
        '-ccs',
        '1',
        '{"Args":["-x"]}',
      ]),
    ).toStrictEqual([
      'deployCC',
      '--ccn',
      'basic',
      '-c',
      'mychannel',
      '--json',
      '--ccs',
      '1',
      '{"Args":["-x"]}',
    ]);
  });

  it('takes what follows "--" as it is', () => {
    expect(normalizeFlags(['cc', 'query', '--', '-get'])).toStrictEqual(['cc', 'query', '--', '-get']);
  });
});
