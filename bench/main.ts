/**
 * `npm run bench -- NAME [--json]`: runs one benchmark and prints its figures, as a table, or with `--json` as one object
 * on the last line. Exit code 1: a figure misses its goal; 2: the arguments are wrong.
 */
import process from 'node:process';
import { type Arguments, ArgumentsError, parseArguments } from './arguments.ts';
import { type Bench, type Figure, figureOf, tableOf } from './figure.ts';

const benches = {
  api: () => import('./api.ts'),
  cursor: () => import('./cursor.ts'),
  'embedded-log': () => import('./embedded-log.ts'),
  idle: () => import('./idle.ts'),
  invokers: () => import('./invokers.ts'),
  latency: () => import('./latency.ts'),
  mysql: () => import('./mysql.ts'),
  pipeline: () => import('./pipeline.ts'),
  planner: () => import('./planner.ts'),
  rocketmq: () => import('./rocketmq.ts'),
  simulate: () => import('./simulate.ts'),
  'sink-path': () => import('./sink-path.ts'),
  scale: () => import('./scale.ts'),
  'slice-overhead': () => import('./slice-overhead.ts'),
  'source-path': () => import('./source-path.ts'),
  spine: () => import('./spine.ts'),
  start: () => import('./start.ts'),
  store: () => import('./store.ts'),
  wake: () => import('./wake.ts'),
} as const satisfies Record<string, () => Promise<Bench>>;
type Name = keyof typeof benches;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    return await measure(parseArguments(argv, Object.keys(benches) as Name[]));
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error;
    process.stderr.write(`bench: ${error.message}\n`);
    return 2;
  }
}

async function measure({ name, json }: Arguments<Name>): Promise<number> {
  const { run } = await benches[name]();
  const figures: Figure[] = [];
  await run({
    note: (text) => process.stdout.write(`${text}\n`),
    figure: (measured) => figures.push(figureOf(measured)),
  });
  process.stdout.write(json ? `${JSON.stringify({ bench: name, figures })}\n` : `\n${tableOf(figures)}\n`);
  return figures.every(({ ok }) => ok) ? 0 : 1;
}
