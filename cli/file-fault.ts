import { CliError } from './cli-error.ts';

/** What is wrong in a file that somebody wrote, and where: `connectors.yaml:12: the config is a list`. */
export class FileFault extends CliError {
  constructor(
    message: string,
    { file, line, next }: { readonly file: string; readonly line: number | null; readonly next: string },
  ) {
    super(`${file}${line === null ? '' : `:${line}`}: ${message}`, { exitCode: 2, next });
  }
}
