/** Real MySQL and MariaDB servers for the tests of one file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest';
import { systemClock } from '../../adapters/system.ts';
import { MysqlConnection, type MysqlSettings, type TextRow } from '../../clients/mysql/mysql-connection.ts';
import { type DatabaseProgram, DatabaseServer, type Settings } from '../../servers/database/database-server.ts';
import { missingDebianTools } from '../../servers/debian/debian-root.ts';
import { mariadbProgram } from '../../servers/mariadb/mariadb-program.ts';
import { mysqlProgram } from '../../servers/mysql/mysql-program.ts';
import { aTemporaryFolder } from './temporary-folder.ts';

/** Fetching the servers included. */
const START_TIMEOUT_MS = 300_000;

const kinds: Readonly<Record<string, DatabaseProgram>> = {
  'MySQL 9': mysqlProgram,
  'MariaDB 10.11': mariadbProgram('10.11'),
  'MariaDB 11.8': mariadbProgram('11.8'),
};

export interface TestDatabase {
  readonly isMariadb: boolean;
  readonly server: () => DatabaseServer;
  /** Closed with the test. */
  readonly connect: (settings?: Partial<MysqlSettings>) => Promise<MysqlConnection>;
  /** Each statement, one by one, over a connection of their own; the rows of the last. */
  readonly run: (...statements: readonly string[]) => Promise<readonly TextRow[]>;
  /** Ends the server, and starts another one with what it holds, until the test ends. */
  readonly copy: () => Promise<TestDatabase>;
}

export interface DatabasesOptions {
  /** Of each server. */
  readonly settings?: Settings;
  /** For tests that take minutes: one of each family. */
  readonly isLong?: boolean;
}

/** Defines tests once for each kind of server; where these cannot run, one test that is skipped says why. */
export function withDatabases(
  what: string,
  { settings = {}, isLong = false }: DatabasesOptions,
  define: (database: TestDatabase) => void,
): void {
  const missing = missingDebianTools();
  if (missing !== null) {
    test(what, ({ skip }) => skip(missing));
    return;
  }
  for (const [kind, program] of Object.entries(kinds)) {
    if (isLong && kind === 'MariaDB 10.11') continue;
    describe(`${what}, ${kind}`, () => define(aDatabase(program, settings)));
  }
}

function aDatabase(program: DatabaseProgram, settings: Settings): TestDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
  let started: DatabaseServer | null = null;
  const server = (): DatabaseServer => {
    if (started === null) throw new Error('the server is there once tests run');
    return started;
  };

  beforeAll(async () => {
    started = await DatabaseServer.start(program, { folder, settings, say });
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    await started?.kill();
    rmSync(folder, { recursive: true });
  });

  const copy = async (): Promise<TestDatabase> => {
    await server().kill();
    const copied = await DatabaseServer.start(program, { folder: aTemporaryFolder(), settings, say, copyOf: server() });
    onTestFinished(() => copied.kill());
    return { ...reached(program, () => copied), copy };
  };

  return { ...reached(program, server), copy };
}

function reached({ name }: DatabaseProgram, server: () => DatabaseServer): Omit<TestDatabase, 'copy'> {
  const open = (more: Partial<MysqlSettings> = {}): Promise<MysqlConnection> =>
    MysqlConnection.open({
      host: '127.0.0.1',
      port: server().port,
      user: 'root',
      password: '',
      program: 'test',
      clock: systemClock,
      ...more,
    });

  const connect = async (more?: Partial<MysqlSettings>): Promise<MysqlConnection> => {
    const connection = await open(more);
    onTestFinished(() => connection.close());
    return connection;
  };

  const run = async (...statements: readonly string[]): Promise<readonly TextRow[]> => {
    const connection = await open();
    try {
      let rows: readonly TextRow[] = [];
      for (const statement of statements) rows = await connection.query(statement, STATEMENT_TIMEOUT_MS);
      return rows;
    } finally {
      connection.close();
    }
  };

  return { isMariadb: name === 'mariadb', server, connect, run };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const STATEMENT_TIMEOUT_MS = 60_000;
