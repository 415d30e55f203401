/** What a command of the protocol is: one file of `commands/` makes each, and reads its answer. Nothing here knows of sockets. */

/** The protocol's `extFields`: also numbers and booleans go as text. */
export type Fields = Readonly<Record<string, string>>;

export interface Response {
  readonly code: number;
  readonly remark: string | null;
  readonly fields: Fields;
  /** A view of memory of its own, which holds this answer alone. */
  readonly body: Buffer;
}

export interface Command<Answer> {
  /** What is being done, for messages: `read topic orders`. */
  readonly what: string;
  readonly code: number;
  readonly fields: Fields;
  readonly body?: Uint8Array;
  /** Whether it may be sent again where nobody knows what became of it. */
  readonly isRepeatable: boolean;
  /**
   * @throws {Refusal} for a code that means nothing to this command.
   */
  answer(response: Response): Answer;
}

/** An answer whose code the command does not know what to do with: `failure.ts` says what it is for the runtime. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: number;
  readonly remark: string;

  constructor({ code, remark }: Response) {
    super(`code ${code}: ${remark ?? 'no reason given'}`);
    this.code = code;
    this.remark = remark ?? '';
  }
}

/** The answer of a command that knows success alone. */
export function successful(response: Response): Response {
  if (response.code !== 0) throw new Refusal(response);
  return response;
}

/** @throws {Refusal} where the field is missing or is no whole number. */
export function bigintField(response: Response, name: string): bigint {
  const text = response.fields[name];
  if (text === undefined || !/^-?\d+$/.test(text)) throw new Refusal({ ...response, remark: `the answer has no ${name}` });
  return BigInt(text);
}
