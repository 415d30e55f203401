/** RocketMQ's servers as Maven has them. */
import { join } from 'node:path';
import { runCommand } from '../command.ts';
import { fetched } from '../fetched.ts';

export const ROCKETMQ_VERSION = '5.3.3';

/**
 * The folder with the jars.
 *
 * @throws {Error} with Maven's own words when it cannot fetch them.
 */
export function rocketmqJars(say: (text: string) => void): Promise<string> {
  const pom = join(import.meta.dirname, 'pom.xml');
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime'];
  return fetched({
    name: `rocketmq-${ROCKETMQ_VERSION}`,
    what: `RocketMQ ${ROCKETMQ_VERSION} with Maven, some 90 MB`,
    say,
    into: (folder) => runCommand('mvn', ['-q', '-B', '-f', pom, ...goal, `-DoutputDirectory=${folder}`]),
  });
}
