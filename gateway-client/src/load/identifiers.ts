import { ClientError } from '../errors.js';

/**
 * Words of column names that hold direct identifiers, after the eighteen of the HIPAA Safe Harbor method, 45 CFR
 * 164.514(b)(2). A column without a mapping is never read; one of these cannot be mapped.
 */
const IDENTIFIERS: readonly RegExp[] = [
  /^(first|last|given|family|middle|full|sur|patient|mother|father)?[\s_-]*(names?|initials)$/,
  /^(pat|patient|participant|u?subj|subject|person|hosp|hospital|medical|record|case|chart|admission|encounter|national|nhs|medicare|medicaid|health[\s_-]*plan|beneficiary|insurance|social|account|card)?[\s_-]*(record)?[\s_-]*(id|identifier|number|no|nr)$/,
  /(^|[\s_-])(mrn|ssn|nhs|nhsnumber|idcard|passport|iban)([\s_-]|$)/,
  /(^|[\s_-])(address|street|post[\s_-]*code|zip|zipcode|phone|tel|telephone|mobile|fax|email|e-mail|url|ip)([\s_-]|$)/,
  /(^|[\s_-])(dob|birthday|bi?rth[\s_-]*(date|dtc?)|date[\s_-]*(of[\s_-]*)?birth)([\s_-]|$)/,
  /(^|[\s_-])(fingerprint|photo|licence|license|plate|device)([\s_-]|$)/,
  /(phone|mobile|fax|e-?mail|home|street|postal|security|insurance|passport)[\s_-]*(number|no|nr|address|code)$/,
  // The same in Chinese and Japanese: name, identity card, passport, numbers of records and cards, telephone, address, day of birth.
  /姓名|名前|氏名|身份证|护照|(病历|病案|住院|门诊|就诊|登记)号|就诊卡|(医保|社保)(卡|号)|电话|手机|地址|住址|邮编|邮箱|出生(日期|年月)|生日/,
];

/**
 * Refuses a column that is named like a direct identifier.
 *
 * @throws ClientError `IDENTIFIER_REFUSED`.
 */
export function requireNoIdentifier(column: string): void {
  // lastName is last name.
  const name = column
    .trim()
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase();
  if (!IDENTIFIERS.some((pattern) => pattern.test(name))) return;
  throw new ClientError(
    'IDENTIFIER_REFUSED',
    `The column ${column} is named like a direct identifier, which is not read; take it out of the mapping.`,
  );
}
