import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rocketmqJars } from '../../servers/rocketmq/jars.ts';
import { aTemporaryFolder } from './temporary-folder.ts';

const run = promisify(execFile);

/** Some two seconds on a machine that has nothing else to do. */
const TIMEOUT_MS = 60_000;

/** What RocketMQ's own command line prints: `mqadmin('consumerProgress', '-n', address)`. */
export async function mqadmin(...args: readonly string[]): Promise<string> {
  const jars = await rocketmqJars((text) => process.stderr.write(`${text}\n`));
  // It keeps logs in its home.
  const home = aTemporaryFolder();
  const folders = [`-Duser.home=${home}`, `-Djava.io.tmpdir=${home}`, '-cp', join(jars, '*')];
  const program = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...folders, 'org.apache.rocketmq.tools.command.MQAdminStartup'];
  const { stdout } = await run('java', [...program, ...args], {
    env: { ...process.env, ROCKETMQ_HOME: home },
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  return stdout;
}
