/** `sortie watch`: a table of what waits and what is at work, again and again. */
import { type Command, Option } from 'commander';
import type { Entity } from '../../scheduler/app.ts';
import { CliError } from '../cli-error.ts';
import { addClientCommand, type ExitCode, type Program, type Session } from '../client-command.ts';
import { namedConnectors } from '../connector-names.ts';
import { type Column, number, plain, stateColour, table } from '../output.ts';
import type { Terminal } from '../shell.ts';

type Backlog = Entity<'ConnectorBacklogs'>[number];

interface WatchOptions {
  readonly every?: string;
  readonly count?: string;
}

const EVERY_S = 1;

export function addWatchCommand(sortie: Command, program: Program): void {
  addClientCommand<WatchOptions>(sortie, program, {
    usage: 'watch [name...]',
    description:
      'shows what waits, how fast it is moved, and how many slices are held, until it is interrupted; with --json a document for each look',
    options: [
      new Option('--every <seconds>', `between two looks (default: ${EVERY_S})`),
      new Option('--count <looks>', 'ends after so many looks; without it the table is live until Ctrl-C'),
    ],
    run: watch,
  });
}

/** A connector as it is now, with what happened since the look before. */
interface Row extends Backlog {
  /** Records that were finished, each second; `null` where that is not known: of a source, or at first. */
  readonly ratePerS: number | null;
}

interface Look {
  readonly atMs: number;
  readonly backlogs: ReadonlyMap<string, Backlog>;
}

async function watch(session: Session, named: readonly string[], options: WatchOptions): Promise<ExitCode> {
  const { shell } = session;
  const everyMs = demandNumber('--every', options.every ?? String(EVERY_S)) * 1_000;
  const count = options.count === undefined ? Number.POSITIVE_INFINITY : demandNumber('--count', options.count);
  const ended = new AbortController();
  const settle = shell.onInterrupt(() => ended.abort());
  try {
    let before: Look | null = null;
    for (let looks = 1; !ended.signal.aborted; looks += 1) {
      const look = await lookAt(session, named);
      showRows(session, rowsOf(look, before), { look, before });
      before = look;
      if (looks >= count) break;
      await shell.sleep(everyMs, ended.signal);
    }
    return 0;
  } finally {
    settle();
  }
}

/** Patterns are matched anew each time, for connectors come and go. */
async function lookAt({ api, shell }: Session, named: readonly string[]): Promise<Look> {
  const all = new Map((await api.backlogs()).map((backlog) => [backlog.connector, backlog]));
  const there = { names: async () => [...all.keys()] };
  const names = named.length === 0 ? await there.names() : await namedConnectors(there, named);
  const backlogs = names.map((name): [string, Backlog] => {
    const backlog = all.get(name);
    if (backlog !== undefined) return [name, backlog];
    throw new CliError(`there is no connector ${name}`, { exitCode: 2, next: '`sortie list` shows which there are' });
  });
  return { atMs: shell.nowMs(), backlogs: new Map(backlogs) };
}

function rowsOf({ atMs, backlogs }: Look, before: Look | null): readonly Row[] {
  return [...backlogs.values()].map((backlog) => {
    const last = before?.backlogs.get(backlog.connector)?.positions ?? null;
    return { ...backlog, ratePerS: rateOf(last, backlog.positions, atMs - (before?.atMs ?? atMs)) };
  });
}

/** Positions go back where an operator resets them, or a connector is another one. */
function rateOf(before: string | null, now: string | null, tookMs: number): number | null {
  if (before === null || now === null || tookMs <= 0) return null;
  const records = Number(BigInt(now) - BigInt(before));
  return records < 0 ? null : Math.round((records * 1_000) / tookMs);
}

// ---------------------------------------------------------------------------------------------------------------------

const COLUMNS: readonly Column<Row>[] = [
  { title: 'CONNECTOR', text: ({ connector }) => connector },
  { title: 'TYPE', text: ({ type }) => type },
  { title: 'STATE', text: ({ state }) => state, colour: ({ state }) => stateColour(state) },
  { title: 'BACKLOG', text: ({ backlogRecords }) => known(backlogRecords), isNumber: true },
  { title: 'RECORDS/S', text: ({ ratePerS }) => known(ratePerS), isNumber: true },
  { title: 'SLICES', text: ({ held }) => number(held), isNumber: true },
];

/** Redrawn on a terminal; elsewhere a line for each connector that is another than it was. */
function showRows(
  { shell, show }: Session,
  rows: readonly Row[],
  { look, before }: { readonly look: Look; readonly before: Look | null },
): void {
  const at = new Date(look.atMs).toISOString();
  show({ at, connectors: rows }, () => {
    if (shell.terminal !== null) return screen(rows, { at, terminal: shell.terminal });
    return rows
      .filter((row) => isOther(row, before))
      .map((row) => `${at} ${rowText(row)}\n`)
      .join('');
  });
}

function isOther({ connector, ratePerS: _, ...backlog }: Row, before: Look | null): boolean {
  return JSON.stringify({ connector, ...backlog }) !== JSON.stringify(before?.backlogs.get(connector));
}

function rowText({ connector, state, backlogRecords, ratePerS, held }: Row): string {
  return plain(`${connector} ${state} backlog=${backlogRecords ?? '-'} rate=${ratePerS ?? '-'} slices=${held}`);
}

const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Over what stood there, line by line, so that nothing flickers; as many lines as there are. */
function screen(rows: readonly Row[], { at, terminal }: { readonly at: string; readonly terminal: Terminal }): string {
  const text = rows.length === 0 ? 'no connectors\n' : table(rows, COLUMNS, { terminal });
  const lines = [`${at.slice(11, 19)}Z  Ctrl-C ends`, '', ...text.trimEnd().split('\n')];
  const room = terminal.rows() - 1;
  const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), "and more: name some, such as 'shop-*'"];
  return `${HOME}${shown.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`;
}

function known(count: number | null): string {
  return count === null ? '-' : number(count);
}

/** @throws {CliError} */
function demandNumber(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0) return value;
  throw new CliError(`${flag} is ${text}`, { exitCode: 2, next: 'name a number above 0' });
}
