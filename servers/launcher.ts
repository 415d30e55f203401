/** A kind of real servers that `npm run servers` starts. */
import { parseArgs } from 'node:util';

export interface Place {
  readonly folder: string;
  readonly say: (text: string) => void;
  /** Told of each process as soon as there is one: whatever becomes of the others, it is to be found. */
  readonly onStart: (processId: number) => void;
}

export interface Launcher {
  /** What may stand behind `start NAME`. */
  readonly usage: string;
  /** What this machine lacks, and how it is had; `null` when it lacks nothing. */
  missing(): string | null;
  /**
   * How to start what the arguments ask for, which then goes on by itself; `null` where they make no sense. Answers what runs where,
   * for whoever asks later. Where it throws, some of it may run.
   */
  read(args: readonly string[]): ((place: Place) => Promise<readonly string[]>) | null;
}

/** `null` for options that are not among these. */
export function readOptions<const Options extends Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>>(
  args: readonly string[],
  options: Options,
): ReturnType<typeof parseArgs<{ args: string[]; options: Options; strict: true }>>['values'] | null {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch {
    return null;
  }
}
