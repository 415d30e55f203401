/** One server process of RocketMQ: its output goes to a file, and it ends when it is told to. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface JavaServerOptions {
  /** Its folder below `folder` has this name; so has its log. */
  readonly name: string;
  readonly folder: string;
  readonly jars: string;
  readonly heapMegabytes: number;
  readonly mainClass: string;
  readonly arguments: readonly string[];
  /** It goes on when this process ends. */
  readonly isDetached: boolean;
}

/** A server that starts tells nobody when it is ready; it takes some seconds. */
const ASK_EVERY_MS = 100;

/** Little memory, a quick start; the exports are what RocketMQ 5.3.3 asks for on Java 17. */
const FLAGS = [
  '-XX:MaxDirectMemorySize=128m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '--add-exports=java.base/sun.nio.ch=ALL-UNNAMED',
  '--add-opens=java.base/java.nio=ALL-UNNAMED',
];

const LAST_LINES = 20;

export class JavaServer {
  readonly processId: number;
  readonly #logPath: string;
  readonly #ended: Promise<void>;
  #isRunning = true;

  private constructor({ processId, logPath, ended }: { processId: number; logPath: string; ended: Promise<void> }) {
    this.processId = processId;
    this.#logPath = logPath;
    this.#ended = ended.then(() => {
      this.#isRunning = false;
    });
  }

  static start({ name, folder, jars, heapMegabytes, mainClass, isDetached, arguments: rest }: JavaServerOptions): JavaServer {
    const home = join(folder, name);
    mkdirSync(home, { recursive: true });
    const logPath = join(folder, `${name}.log`);
    const log = openSync(logPath, 'w');
    const heap = [`-Xms${heapMegabytes}m`, `-Xmx${heapMegabytes}m`];
    const command = [
      ...heap,
      ...FLAGS,
      `-Duser.home=${home}`,
      '-cp',
      join(jars, '*'),
      `org.apache.rocketmq.${mainClass}`,
      ...rest,
    ];
    const child = spawn('java', command, {
      detached: isDetached,
      stdio: ['ignore', log, log],
      // It must be set, and may be empty.
      env: { ...process.env, ROCKETMQ_HOME: folder },
    });
    closeSync(log);
    if (isDetached) child.unref();
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve()).once('error', () => resolve());
    });
    return new JavaServer({ processId: child.pid ?? -1, logPath, ended });
  }

  /**
   * Asks until it answers.
   *
   * @throws {Error} with the last lines of its log, when it ended or did not answer in time.
   */
  async ready(answers: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const untilMs = Date.now() + timeoutMs;
    while (!(await answers().catch(() => false))) {
      if (!this.#isRunning) throw new Error(`a server of RocketMQ ended at once:\n${this.#lastLines()}`);
      if (Date.now() >= untilMs)
        throw new Error(`a server of RocketMQ does not answer after ${timeoutMs} ms:\n${this.#lastLines()}`);
      await sleep(ASK_EVERY_MS);
    }
  }

  /** At once: nothing it holds is worth the ten to twenty seconds that a broker takes to stop. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#isRunning && this.processId > 0) process.kill(this.processId, 'SIGKILL');
    await this.#ended;
  }

  #lastLines(): string {
    return readFileSync(this.#logPath, 'utf8').split('\n').slice(-LAST_LINES).join('\n');
  }
}
