import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new folder for one test, removed with all it holds when the test ends. */
export function aTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder in which nobody but root may make anything, on a way that everybody may go. */
export function aReadOnlyFolder(): string {
  const above = aTemporaryFolder();
  chmodSync(above, 0o755);
  const folder = join(above, 'read-only');
  mkdirSync(folder, { mode: 0o555 });
  return folder;
}
