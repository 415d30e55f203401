/** What an error is to whoever typed the command: what happened and where, what to do next, and how the process ends. */
import { errorCodes } from '../core/error-codes.ts';
import { ConnectError } from '../core/errors.ts';
import { CliError } from './cli-error.ts';
import { plain } from './output.ts';

const NEXT_IN_MESSAGE = '; next: ';

export interface Complaint {
  readonly message: string;
  readonly next: string;
  readonly exitCode: 1 | 2 | 3;
}

/** `null` for what nobody expected. */
export function complaintOf(error: unknown): Complaint | null {
  if (error instanceof CliError) return { message: error.message, next: error.next, exitCode: error.exitCode };
  if (!(error instanceof ConnectError)) return null;
  const { next, exit } = errorCodes[error.code];
  // Most know better what to do next than their code does.
  const [message = '', ownNext] = error.message.split(NEXT_IN_MESSAGE);
  return { message, next: ownNext ?? next, exitCode: exit };
}

/** Several faults are a line each. */
export function complaintText({ message, next }: Complaint): string {
  return `sortie: ${plain(message)}${message.includes('\n') ? '\n  next: ' : NEXT_IN_MESSAGE}${next}\n`;
}
