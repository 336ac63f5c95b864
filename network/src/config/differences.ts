import type { ResolvedConfig } from './schema.js';

/** Differences that one sentence names; more say only that there are more. */
const NAMED = 3;

/**
 * Where two descriptions of a network differ, each as `channels[0].members[2] was "CMSP" and is not given now`, in one
 * sentence's worth of text.
 */
export function describeDifferences(before: ResolvedConfig, after: ResolvedConfig): string {
  const found = [...differences('', before, after)];
  const more = found.length > NAMED ? `, and ${found.length - NAMED} more` : '';
  return `${found.slice(0, NAMED).join('; ')}${more}`;
}

function* differences(place: string, before: unknown, after: unknown): Generator<string> {
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    for (let index = 0; index < length; index++)
      yield* differences(`${place}[${index}]`, before[index], after[index]);
  } else if (isRecord(before) && isRecord(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    for (const name of names)
      yield* differences(place === '' ? name : `${place}.${name}`, before[name], after[name]);
  } else if (before !== after) yield `${place} was ${told(before)} and is ${told(after)} now`;
}

function told(value: unknown): string {
  if (value === undefined) return 'not given';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
