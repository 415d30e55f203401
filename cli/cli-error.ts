/** An end of the program that its user can do something about. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** 1 run time, 2 configuration, 3 environment. */
  readonly exitCode: 1 | 2 | 3;
  readonly next: string;

  constructor(message: string, { exitCode, next }: { readonly exitCode: 1 | 2 | 3; readonly next: string }) {
    super(message);
    this.exitCode = exitCode;
    this.next = next;
  }
}
