/** Reads the body of a request by its route's schema, and says everything that is wrong with it at once. */
import type { z } from 'zod';
import { parseJson } from '../../core/record/lossless-json.ts';
import { ApiError } from './api-error.ts';
import { faultLines, faultOf } from './body-faults.ts';
import { nestsDeeper } from './json-depth.ts';
import type { RequestBody } from './route.ts';
import { asWritten, type Reviver } from './written-json.ts';

/** With parameters behind it, such as a charset. */
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/** A checkpoint nests 100 deep at most, and has some levels around it. */
const DEPTH_MAX = 128;

/** @throws {ApiError} 415 for another type than JSON; 400 for what is no JSON, or not by the schema. */
export async function readBody<Schema extends z.ZodType>(
  request: Request,
  { schema, numbers, isOptional = false }: RequestBody<Schema>,
): Promise<z.output<Schema>> {
  const type = request.headers.get('content-type');
  const text = textOf(await bytesOf(request));
  if (text.trim() === '' && isOptional) return schema.parse({});
  if (text.trim() === '') throw new ApiError(400, 'The request has no body; it needs one of JSON');
  if (type !== null && !JSON_TYPE.test(type.trim()))
    throw new ApiError(415, 'HTTP 415 Unsupported Media Type; send JSON, with Content-Type: application/json');
  if (nestsDeeper(text, DEPTH_MAX)) throw new ApiError(400, `The body of the request nests more than ${DEPTH_MAX} deep`);
  const parsed = schema.safeParse(jsonOf(text, numbers), { error: faultOf });
  if (parsed.success) return parsed.data;
  throw new ApiError(400, faultLines(parsed.error).join('\n'));
}

/** Node's word for a connection that ended in the middle. */
const CUT_OFF = 'ECONNRESET';

async function bytesOf(request: Request): Promise<ArrayBuffer> {
  try {
    return await request.arrayBuffer();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === CUT_OFF)) throw error;
    // Nobody is there any more who could read it, and nothing is wrong here.
    throw new ApiError(400, 'The body of the request has not arrived as a whole');
  }
}

/** What is no UTF-8 would be kept as something else than was sent. */
function textOf(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError(400, 'The body of the request is not UTF-8');
  }
}

function jsonOf(text: string, numbers: RequestBody<z.ZodType>['numbers']): unknown {
  try {
    return numbers === 'exact' ? parseJson(text) : JSON.parse(text, reviverOf(numbers) as Parameters<typeof JSON.parse>[1]);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    // Its message quotes the body, which may hold secrets.
    throw new ApiError(400, 'The body of the request is not JSON');
  }
}

/** `1.0` and `12345678901234567890` stay what was sent. A key that would be lost on the way is refused. */
function reviverOf(numbers: 'text' | 'written'): Reviver {
  const revive: Reviver = (key, value, context) => {
    if (key === '__proto__') throw new ApiError(400, 'There must be no key __proto__');
    if (numbers === 'written') return asWritten(key, value, context);
    return typeof value === 'number' ? context.source : value;
  };
  return revive;
}
