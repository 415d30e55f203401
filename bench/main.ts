/**
 * `npm run bench -- NAME [--json]`: runs one benchmark and prints its figures, as a table, or with `--json` as one object
 * on the last line. Exit code 1: a figure misses its goal; 2: there is no such benchmark.
 */
import process from 'node:process';
import { type Bench, type Figure, figureOf, tableOf } from './figure.ts';

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  cursor: () => import('./cursor.ts'),
  simulate: () => import('./simulate.ts'),
  'slice-overhead': () => import('./slice-overhead.ts'),
  spine: () => import('./spine.ts'),
  store: () => import('./store.ts'),
};

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const name = args.find((argument) => !argument.startsWith('--')) ?? '';
  const load = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (load === undefined) {
    process.stderr.write(`bench: there is no benchmark '${name}'\n  next: name one of: ${Object.keys(benches).join(', ')}\n`);
    return 2;
  }
  const figures: Figure[] = [];
  const { run } = await load();
  await run({
    note: (text) => process.stdout.write(`${text}\n`),
    figure: (measured) => figures.push(figureOf(measured)),
  });
  const asJson = args.includes('--json');
  process.stdout.write(asJson ? `${JSON.stringify({ bench: name, figures })}\n` : `\n${tableOf(figures)}\n`);
  return figures.every(({ ok }) => ok) ? 0 : 1;
}
