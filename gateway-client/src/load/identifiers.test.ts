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
  // As registries and CDISC write them.
  ...[
    'PATID',
    'pat_id',
    'SUBJID',
    'USUBJID',
    'BRTHDTC',
    'birth_dt',
    'date_birth',
    'initials',
    'NHSNo',
    'HospNo',
  ],
  ...['medicare_number', 'admission_no', 'post_code', 'tel', '出生年月', '氏名'],
  ...['MRN', '患者姓名', '身份证号码', '住院号', '联系电话', '出生日期', '医保卡号'],
])('a column named %s is refused', (column) => {
  expect(() => requireNoIdentifier(column)).toThrow(expect.objectContaining({ code: 'IDENTIFIER_REFUSED' }));
});

test.each([
  'AGE',
  'HOSPNUM',
  'unit',
  'admission',
  'telmisartan',
  'no_stroke',
  'study',
  'birthweight',
  'mobility',
  'addressed',
  'insurance type',
  '年龄',
  '住院天数',
  '医保类型',
])('a column named %s is not', (column) => {
  expect(() => requireNoIdentifier(column)).not.toThrow();
});
