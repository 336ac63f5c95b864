import { requireNoIdentifier } from './identifiers.js';

test.each([
  ...[
    'lastName',
    'PatientName',
    'patient_id',
    'phoneNumber',
    'homeAddress',
    'socialSecurityNumber',
    'dateOfBirth',
  ],
  ...['MRN', '患者姓名', '身份证号码', '住院号', '联系电话', '出生日期', '医保卡号'],
])('a column named %s is refused', (column) => {
  expect(() => requireNoIdentifier(column)).toThrow(expect.objectContaining({ code: 'IDENTIFIER_REFUSED' }));
});

test.each(['AGE', 'HOSPNUM', 'mobility', 'addressed', 'insurance type', '年龄', '住院天数', '医保类型'])(
  'a column named %s is not',
  (column) => {
    expect(() => requireNoIdentifier(column)).not.toThrow();
  },
);
