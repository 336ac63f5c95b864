import { type PrincipalRole } from '../msp/msp.js';
import { type Principal, type Rule, type SignaturePolicy } from './signature-policy.js';

/**
 * Fabric's signature policy language: `AND('A.peer', OR('B.member', 'C.admin'))`, `OutOf(2, 'A.peer', ...)`. Gates are
 * written all small, all large or with a large first letter.
 */

/** A policy text that cannot be understood; the message says where. */
export class PolicySyntaxError extends Error {
  override readonly name = 'PolicySyntaxError';
}

const tokenPattern = /\s*(?:([A-Za-z]+)|('[^']*'|"[^"]*")|(\d+)|([(),]))/y;
const principalPattern = /^([A-Za-z0-9.-]+)\.(admin|member|client|peer|orderer)$/;
const gateNames: Readonly<Record<string, 'and' | 'or' | 'outof'>> = {
  And: 'and',
  and: 'and',
  AND: 'and',
  Or: 'or',
  or: 'or',
  OR: 'or',
  OutOf: 'outof',
  outof: 'outof',
  OUTOF: 'outof',
};

interface Token {
  readonly text: string;
  readonly kind: 'word' | 'string' | 'number' | 'sign' | 'end';
  readonly at: number;
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  tokenPattern.lastIndex = 0;
  while (text.slice(tokenPattern.lastIndex).trim() !== '') {
    const at = tokenPattern.lastIndex;
    const match = tokenPattern.exec(text);
    if (!match) throw new PolicySyntaxError(`invalid policy string '${text}': unexpected character at ${at}`);
    const [, word, quoted, number, sign] = match;
    if (word !== undefined) found.push({ kind: 'word', text: word, at });
    else if (quoted !== undefined) found.push({ kind: 'string', text: quoted.slice(1, -1), at });
    else if (number !== undefined) found.push({ kind: 'number', text: number, at });
    else found.push({ kind: 'sign', text: sign ?? '', at });
  }
  found.push({ kind: 'end', text: 'end of policy', at: text.length });
  return found;
}

/** @throws PolicySyntaxError */
export function parseSignaturePolicy(text: string): SignaturePolicy {
  const identities: Principal[] = [];
  const input = tokens(text);
  let position = 0;

  const next = (): Token => input[position++] ?? { kind: 'end', text: 'end of policy', at: text.length };
  const fail = (token: Token, expected: string): never => {
    throw new PolicySyntaxError(
      `invalid policy string '${text}': expected ${expected} at ${token.at}, found '${token.text}'`,
    );
  };
  const expectSign = (sign: string): void => {
    const token = next();
    if (token.kind !== 'sign' || token.text !== sign) fail(token, `'${sign}'`);
  };

  function principal(token: Token): Rule {
    const match = principalPattern.exec(token.text);
    if (!match) throw new PolicySyntaxError(`error parsing principal ${token.text}`);
    identities.push({ mspId: match[1] ?? '', role: match[2] as PrincipalRole });
    return { signedBy: identities.length - 1 };
  }

  function gate(name: Token): Rule {
    const kind = gateNames[name.text];
    if (!kind) throw new PolicySyntaxError(`unrecognized token '${name.text}' in policy string`);
    expectSign('(');
    let n: number | undefined;
    if (kind === 'outof') {
      const count = next();
      if ((count.kind !== 'number' && count.kind !== 'string') || !/^\d+$/.test(count.text))
        fail(count, 'a number');
      n = Number(count.text);
      expectSign(',');
    }
    const rules: Rule[] = [];
    for (;;) {
      rules.push(expression());
      const token = next();
      if (token.kind === 'sign' && token.text === ')') break;
      if (token.kind !== 'sign' || token.text !== ',') fail(token, "',' or ')'");
    }
    n ??= kind === 'and' ? rules.length : 1;
    // Fabric permits one more than there are: a policy that nobody can meet.
    if (n > rules.length + 1) {
      throw new PolicySyntaxError(`invalid t-out-of-n predicate, t ${n}, n ${rules.length}`);
    }
    return { n, rules };
  }

  function expression(): Rule {
    const token = next();
    if (token.kind === 'string') return principal(token);
    if (token.kind === 'word') return gate(token);
    return fail(token, 'a gate or a principal');
  }

  const first = next();
  if (first.kind !== 'word') fail(first, 'a gate');
  const rule = gate(first);
  const last = next();
  if (last.kind !== 'end') fail(last, 'the end');
  return { identities, rule };
}
