import { explain, Explanations } from './explanations.js';
import { explainSize } from './size.js';

describe('explanations of failed transactions', () => {
  it('are kept once, logged once, and gone with the last of a thousand', () => {
    const log: string[] = [];
    using explanations = new Explanations((line) => log.push(line));
    explain('first', 'because');
    explain('first', 'because');
    explain('first', 'and also');
    expect(explanations.of('first')).toStrictEqual(['because', 'and also']);
    expect(log).toStrictEqual(['transaction first: because', 'transaction first: and also']);
    for (let index = 0; index < 1000; index++) explain(`later ${index}`, 'because');
    expect(explanations.of('first')).toStrictEqual([]);
    expect(explanations.of('later 0')).toStrictEqual(['because']);
  });

  it('warn of answers above the 4 MB that clients take', () => {
    using explanations = new Explanations(() => undefined);
    explainSize('small', 4 * 1024 * 1024);
    explainSize('large', 5 * 1024 * 1024);
    expect(explanations.of('small')).toStrictEqual([]);
    expect(explanations.of('large')).toStrictEqual([
      'its answer has 5.0 MB; a client receives 4 MB unless it is made with "grpc.max_receive_message_length"',
    ]);
  });
});
