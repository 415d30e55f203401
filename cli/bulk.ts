/** One thing done to several connectors: each by itself, so that what fails for one is done for the others. */
import { sideBySide } from '../core/side-by-side.ts';
import { CliError } from './cli-error.ts';
import type { ExitCode, Session } from './client-command.ts';
import { type Complaint, complaintOf, complaintText } from './complaint.ts';
import { isPattern, namedConnectors } from './connector-names.ts';
import { coloured, plain } from './output.ts';

/** Requests at once: enough to hide the way to a server far away, and few beside what it does otherwise. */
const AT_ONCE = 8;

export interface Deed {
  readonly name: string;
  /** What it is afterwards: `paused`. */
  readonly result: string;
  act(): Promise<unknown>;
}

type Done = { readonly name: string; readonly result: string } | { readonly name: string; readonly error: Complaint };

/** Answers the exit code: the highest of what failed. */
export async function doEach({ shell, show }: Pick<Session, 'shell' | 'show'>, deeds: readonly Deed[]): Promise<ExitCode> {
  const done = new Map<Deed, Done>();
  await sideBySide(deeds, AT_ONCE, async (deed) => {
    done.set(deed, await doOne(deed));
  });
  const results = deeds.flatMap((deed) => done.get(deed) ?? []);
  const failed = results.flatMap((one) => ('error' in one ? [one] : []));
  show({ results }, () =>
    results
      .flatMap((one) => ('error' in one ? [] : `${plain(one.name)}: ${coloured(one.result, 'green', shell.terminal)}\n`))
      .join(''),
  );
  for (const { name, error } of failed) shell.complain(complaintText({ ...error, message: `${name}: ${error.message}` }));
  return worst(failed.map(({ error }) => error.exitCode));
}

async function doOne({ name, result, act }: Deed): Promise<Done> {
  try {
    await act();
    return { name, result };
  } catch (error) {
    const complaint = complaintOf(error);
    if (complaint === null) throw error;
    return { name, error: complaint };
  }
}

/**
 * What cannot be undone is not done to whatever a pattern happens to match, unless `--yes` says so: not on a terminal, and not in a
 * script either, where nobody sees what it matched.
 *
 * @throws {CliError}
 */
export async function demandYes(
  { api }: Session,
  named: readonly string[],
  { yes, what }: { readonly yes: boolean; readonly what: string },
): Promise<void> {
  if (yes || !named.some(isPattern)) return;
  const names = await namedConnectors(api, named);
  // A connector may be called so.
  if (names.every((name) => named.includes(name))) return;
  throw new CliError(`this would ${what} ${names.length} connector${names.length === 1 ? '' : 's'}: ${names.join(', ')}`, {
    exitCode: 2,
    next: 'add --yes if that is what you want',
  });
}

function worst(codes: readonly ExitCode[]): ExitCode {
  return codes.reduce((a, b) => (b > a ? b : a), 0);
}
