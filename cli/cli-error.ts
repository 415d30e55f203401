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

/** What is refused as wrong here has a next step of its own. */
export async function advising<T>(next: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode !== 2) throw error;
    throw new CliError(error.message, { exitCode: 2, next });
  }
}
