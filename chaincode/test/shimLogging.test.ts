import { Shim } from 'fabric-shim';
import { dropUnreadLines } from '../src/shimLogging.js';

test('a line of the shim is put into form only where it is shown', () => {
  const logger = Shim.newLogger('lib/handler.js');
  const formed: string[] = [];
  const { format } = logger;
  jest.spyOn(format, 'transform').mockImplementation((info) => {
    formed.push(String(info.message));
    return false;
  });
  dropUnreadLines();
  logger.level = 'info';
  logger.debug('handleGetState - with key: a');
  logger.info('Calling chaincode Invoke() succeeded.');
  logger.level = 'debug';
  logger.debug('handleGetState - with key: b');
  expect(formed).toEqual(['Calling chaincode Invoke() succeeded.', 'handleGetState - with key: b']);
  jest.restoreAllMocks();
});
