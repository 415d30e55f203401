import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new folder for one test, removed with all it holds when the test ends. */
export function aTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
