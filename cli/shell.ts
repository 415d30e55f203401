/** What the command line runs in: two streams, perhaps a terminal, the environment, the time, and a way to servers. */
export interface Shell {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What was asked for. */
  write(text: string): void;
  /** What went wrong. */
  complain(text: string): void;
  /** That `write` writes to; `null` where nobody may be looking, such as a file or another program. */
  readonly terminal: Terminal | null;
  nowMs(): number;
  /** As the global one; of a URL that is a text, and everything else beside it. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** From now on certificates of this authority are taken, too; it is PEM. */
  trust(authority: string): void;
  /** Calls `end` when somebody wants the command to end, instead of ending the process at once, until what it answers is called. */
  onInterrupt(end: () => void): () => void;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface Terminal {
  /** Characters in a line. */
  columns(): number;
  /** Lines that show at once. */
  rows(): number;
  /** `NO_COLOR` (https://no-color.org) and terminals without any are minded. */
  readonly hasColours: boolean;
}
