// Prints the closing line of a CI run, 'N passed, N failed, N skipped', from the JSON report of Vitest, and fails when a test
// failed, when a test file did not load, or when no test ran: `node tools/ci-summary.mjs REPORT.json`.

import { readFileSync } from 'node:fs';
import process from 'node:process';

const file = process.argv[2] ?? '';
process.exitCode = summarize(file);

/** @param {string} file */
function summarize(file) {
  /** @type {{ success: boolean, numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number,
   *   testResults: { name: string, status: string, assertionResults: unknown[] }[] }} */
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    process.stderr.write(
      `ci-summary: cannot read the test report '${file}': ${error}\n  next: look for the error of vitest above\n`,
    );
    return 1;
  }
  const broken = report.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0);
  for (const suite of broken) process.stderr.write(`ci-summary: did not load: ${suite.name}\n`);
  const passed = report.numPassedTests;
  const failed = report.numFailedTests + broken.length;
  const skipped = report.numPendingTests + report.numTodoTests;
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  if (passed + failed === 0) process.stderr.write('ci-summary: no test ran\n');
  return report.success && failed === 0 && passed > 0 ? 0 : 1;
}
