/** Java and Maven, which the real servers need and this product does not. */
import { spawnSync } from 'node:child_process';

/** Which of them is missing, and how it is had; `null` when none is. */
export function missingJavaTools(): string | null {
  const missing = ['java', 'mvn'].filter((tool) => spawnSync(tool, ['-version'], { stdio: 'ignore' }).error !== undefined);
  if (missing.length === 0) return null;
  const packages = 'Debian: apt-get install default-jre-headless maven';
  return `${missing.join(' and ')} cannot be started; the real servers need Java 17 or newer and Maven (${packages})`;
}
