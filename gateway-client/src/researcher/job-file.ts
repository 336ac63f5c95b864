import { readFile } from 'node:fs/promises';
import { submitJob } from '@strokeshare/chaincode';
import { FheError } from '@strokeshare/fhe';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { ClientError } from '../errors.js';
import { parseQuestion, questionShape, type Question } from './analysis/index.js';

const { jobId, agreementId, purpose, quorum, holderMinutes } = submitJob.shape;
const minutes = z.number().positive().optional();

const shape = z.strictObject({
  /** Begins the job's id; letters, digits and . _ -. */
  name: jobId.max(40),
  title: z.string().min(1),
  /** Id of the agreement that covers the job. */
  agreement: agreementId,
  /** Data Use Ontology code of what the result is for. */
  purpose,
  /** Minutes from submission until an unfinished job has failed. */
  deadlineMinutes: minutes,
  /** How many institutions must answer, and for how many minutes they may. */
  quorum,
  postingMinutes: minutes,
  /** Minutes after which a silent key holder is replaced. */
  holderMinutes,
  query: z.unknown(),
});

/** A question as a researcher keeps it in a file. */
export type JobFile = Omit<z.infer<typeof shape>, 'query'> & Question;

/** The JSON schema (draft 2020-12) of a job file, from the shapes that it is read by. */
export function jobFileSchema(): object {
  const schema = z.toJSONSchema(shape.extend({ query: questionShape }), { io: 'input' });
  return { title: 'A question to a StrokeShare consortium', ...schema };
}

/**
 * Reads a job from a YAML file.
 *
 * @throws ClientError `JOB_FILE_INVALID` with file, place and reason.
 */
export async function readJobFile(path: string): Promise<JobFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new ClientError('JOB_FILE_INVALID', `The job file ${path} cannot be read.`, { cause });
  }
  return parseJobFile(text, path);
}

/** The same for a text that was read already. */
export function parseJobFile(text: string, name: string): JobFile {
  const invalid = (reason: string, cause: unknown): ClientError =>
    new ClientError('JOB_FILE_INVALID', `The job file ${name} cannot be used: ${reason}`, { cause });
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause;
    const line = cause.linePos?.[0].line;
    throw invalid(`line ${line ?? '?'} is not readable YAML.`, cause);
  }
  const result = shape.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw invalid(`${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'not a job'}.`, result.error);
  }
  try {
    return { ...result.data, ...parseQuestion(result.data.query) };
  } catch (cause) {
    if (cause instanceof FheError || cause instanceof ClientError) throw invalid(cause.message, cause);
    throw cause;
  }
}
