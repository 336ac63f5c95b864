import { ClientError } from '../errors.js';

/**
 * Words of column names that hold direct identifiers, after the eighteen of the HIPAA Safe Harbor method, 45 CFR
 * 164.514(b)(2). A column without a mapping is never read; one of these cannot be mapped.
 */
const IDENTIFIERS: readonly RegExp[] = [
  /^(first|last|given|family|middle|full|sur|patient|mother|father)?[\s_-]*names?$/,
  /^(patient|participant|subject|person|hospital|medical|record|case|national|insurance|social|account|card)?[\s_-]*(record)?[\s_-]*(id|identifier|number|no|nr)$/,
  /(^|[\s_-])(mrn|ssn|nhs|nhsnumber|idcard|passport|iban)([\s_-]|$)/,
  /(^|[\s_-])(address|street|postcode|zip|zipcode|phone|telephone|mobile|fax|email|e-mail|url|ip)([\s_-]|$)/,
  /(^|[\s_-])(dob|birthday|birth[\s_-]*date|date[\s_-]*of[\s_-]*birth)([\s_-]|$)/,
  /(^|[\s_-])(fingerprint|photo|licence|license|plate|device)([\s_-]|$)/,
];

/**
 * Refuses a column that is named like a direct identifier.
 *
 * @throws ClientError `IDENTIFIER_REFUSED`.
 */
export function requireNoIdentifier(column: string): void {
  const name = column.trim().toLowerCase();
  if (!IDENTIFIERS.some((pattern) => pattern.test(name))) return;
  throw new ClientError(
    'IDENTIFIER_REFUSED',
    `The column ${column} is named like a direct identifier, which is not read; take it out of the mapping.`,
  );
}
