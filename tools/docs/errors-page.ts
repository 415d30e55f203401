import type { ErrorCodeFacts } from '../../core/error-codes.ts';
import { code, generatedFrom, page } from './markdown.ts';

const INTRODUCTION = `Every error that is reported has one of these codes: in the run record of an invocation, in the cursor of a failed shard, in the log line of a
refused record, and in the header \`sortie.errors.code\` of a dead-lettered one. A code keeps its meaning, so scripts and alerts may rely on it; the
message beside it is for people and may change.

The HTTP status is that of the REST API's answer, the exit code that of the command line: 1 means a failure at run time, 2 a wrong configuration, 3 a
surrounding system that does not answer or is not as it should be. What a next step asks of an operator (stop, restart, reset offsets) is a request to the
REST API.`;

/** Codes in the order of their table, grouped by the part before the dot. */
export function errorsPage(codes: Readonly<Record<string, ErrorCodeFacts>>): string {
  const groups = Map.groupBy(Object.entries(codes), ([name]) => name.split('.')[0] ?? '');
  const sections = [...groups].flatMap(([group, entries]) => [`## ${group}`, ...entries.flatMap(section)]);
  return page(['# Error codes', generatedFrom('core/error-codes.ts'), INTRODUCTION, ...sections]);
}

function section([name, { meaning, next, http, exit }]: readonly [string, ErrorCodeFacts]): readonly string[] {
  return [`### ${code(name)}`, meaning, `**Next:** ${next}`, `HTTP ${http}, exit code ${exit}.`];
}
