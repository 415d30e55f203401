/** One server of MySQL or MariaDB on loopback, for development and tests: a free port, everything it holds in one folder. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../command.ts';
import { loaderOf, unpackDebian } from '../debian/debian-root.ts';
import { fetched } from '../fetched.ts';
import { freePort } from '../free-ports.ts';
import { ServerProcess } from '../server-process.ts';

export type Settings = Readonly<Record<string, string>>;

/** What tells one kind of database from another. */
export interface DatabaseProgram {
  /** Of its process, log and group of settings. */
  readonly name: string;
  readonly suite: string;
  readonly package: string;
  readonly megabytes: number;
  /** Below its root. */
  readonly binary: string;
  /** Beside those that all have. */
  settings(root: string): Settings;
  /** Arguments that make `datadir`, and what the server is to read meanwhile. */
  initialize(root: string): { readonly args: readonly string[]; readonly input: string };
}

export interface DatabaseServerOptions {
  readonly folder: string;
  readonly say: (text: string) => void;
  /** It goes on when this process ends. */
  readonly isDetached?: boolean;
  /** Told of its process as soon as there is one. */
  readonly onStart?: (processId: number) => void;
  /** So long it has to answer. Absent: two minutes. */
  readonly readyWithinMs?: number;
  /** These go before all others. */
  readonly settings?: Settings;
  /** A server that has ended: this one begins with what it holds, its log included, and is another one. */
  readonly copyOf?: DatabaseServer;
}

const READY_WITHIN_MS = 120_000;

/** An empty database beside its program: it takes seconds to make, and a moment to copy. */
const TEMPLATE = 'empty-database';

export class DatabaseServer {
  readonly port: number;
  readonly #program: DatabaseProgram;
  readonly #root: string;
  readonly #options: DatabaseServerOptions;
  #process: ServerProcess;

  private constructor(
    program: DatabaseProgram,
    options: DatabaseServerOptions,
    place: { readonly root: string; readonly port: number },
  ) {
    this.#program = program;
    this.#options = options;
    this.#root = place.root;
    this.port = place.port;
    this.#process = this.#launch();
  }

  /** User `root` without a password. @throws {Error} where it does not answer; then nothing runs. */
  static async start(program: DatabaseProgram, options: DatabaseServerOptions): Promise<DatabaseServer> {
    const root = await programRoot(program, options.say);
    const { folder } = options;
    mkdirSync(folder, { recursive: true });
    const { copyOf } = options;
    cpSync(copyOf === undefined ? join(root, TEMPLATE) : join(copyOf.#options.folder, 'data'), join(folder, 'data'), {
      recursive: true,
    });
    // A server that is another one has another identity.
    rmSync(join(folder, 'data', 'auto.cnf'), { force: true });
    const port = await freePort();
    const settings = { ...commonSettings(folder, port), ...program.settings(root), ...options.settings };
    writeSettings(join(folder, 'server.cnf'), program, settings);
    const server = new DatabaseServer(program, options, { root, port });
    try {
      await server.#ready();
    } catch (error) {
      await server.kill();
      throw error;
    }
    options.say(`${program.name} on 127.0.0.1:${port}`);
    return server;
  }

  /** As a loss of power that its files survive. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** One that was killed, with what it holds. */
  async restart(): Promise<void> {
    this.#process = this.#launch();
    await this.#ready();
  }

  #launch(): ServerProcess {
    const { folder, isDetached = false, onStart } = this.#options;
    const [command, ...args] = loaderOf(this.#root);
    return ServerProcess.start({
      name: this.#program.name,
      folder,
      command,
      arguments: [...args, join(this.#root, this.#program.binary), `--defaults-file=${join(folder, 'server.cnf')}`],
      isDetached,
      onStart,
    });
  }

  #ready(): Promise<void> {
    return this.#process.ready(() => greets(this.port), this.#options.readyWithinMs ?? READY_WITHIN_MS);
  }
}

function programRoot(program: DatabaseProgram, say: (text: string) => void): Promise<string> {
  const { name, suite, megabytes } = program;
  return fetched({
    name: `${name}-${suite}`,
    what: `${name} of Debian ${suite}, some ${megabytes} MB`,
    say,
    into: async (root) => {
      await unpackDebian(root, { suite, packages: [program.package] });
      await makeTemplate(program, root);
    },
  });
}

async function makeTemplate(program: DatabaseProgram, root: string): Promise<void> {
  const datadir = join(root, TEMPLATE);
  mkdirSync(datadir);
  const settingsPath = join(root, 'template.cnf');
  const { port: _, 'log-bin': __, ...common } = commonSettings(root, 0);
  writeSettings(settingsPath, program, { ...common, datadir, ...program.settings(root) });
  const { args, input } = program.initialize(root);
  const [command, ...loader] = loaderOf(root);
  const binary = join(root, program.binary);
  await runCommand(command, [...loader, binary, `--defaults-file=${settingsPath}`, '--skip-log-bin', ...args], { input });
}

/** Small, quick, and the changes of rows complete. */
function commonSettings(folder: string, port: number): Settings {
  return {
    user: userInfo().username,
    datadir: join(folder, 'data'),
    tmpdir: folder,
    socket: join(folder, 'socket'),
    'pid-file': join(folder, 'pid'),
    'bind-address': '127.0.0.1',
    port: String(port),
    // Beside the data, by a name without a path, so that it can be copied.
    'log-bin': 'binlog',
    binlog_row_metadata: 'FULL',
    innodb_buffer_pool_size: '64M',
  };
}

function writeSettings(path: string, { name }: DatabaseProgram, settings: Settings): void {
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(path, `[${name === 'mysql' ? 'mysqld' : 'mariadbd'}]\n${lines.join('')}`);
}

/** A server speaks first. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false)).once('close', () => resolve(false));
  });
}
