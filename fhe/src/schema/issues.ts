import { type ZodError } from 'zod';

/** The first problem of a parse, as `path: reason`, and how many more there are. */
export function describeIssues(error: ZodError): string {
  const first = error.issues[0];
  if (!first) return error.message;
  const path = first.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  return `${path.replace(/^\./, '') || 'the whole value'}: ${first.message}${more}`;
}
