import type { ErrorCodeFacts } from '../../core/error-codes.ts';
import { code, generatedFrom, page } from './markdown.ts';

const INTRODUCTION = `Every error the product reports has one of these codes: in a run record, in the status of a failed shard, in a log line and in the
header \`sortie.errors.code\` of a dead-lettered record. A code never changes its meaning, so scripts and alerts may rely on it; the
message beside it is for people and may change.

HTTP statuses and exit codes belong to the REST API and the command line. Neither is there yet; the numbers are settled here so that
both will agree. Exit code 1 is a failure at run time, 2 a wrong configuration, 3 a surrounding system that does not answer or is not
as it should be.`;

/** Codes in the order of their table, grouped by the part before the dot. */
export function errorsPage(codes: Readonly<Record<string, ErrorCodeFacts>>): string {
  const groups = Map.groupBy(Object.entries(codes), ([name]) => name.split('.')[0] ?? '');
  const sections = [...groups].flatMap(([group, entries]) => [`## ${group}`, ...entries.flatMap(section)]);
  return page(['# Error codes', generatedFrom('core/error-codes.ts'), INTRODUCTION, ...sections]);
}

function section([name, { meaning, next, http, exit }]: readonly [string, ErrorCodeFacts]): readonly string[] {
  return [`### ${code(name)}`, meaning, `**Next:** ${next}`, `HTTP ${http}, exit code ${exit}.`];
}
