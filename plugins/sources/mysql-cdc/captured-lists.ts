/** Which tables a configuration captures, as text: to know the ones that another captures beside them. */
import type { RE2JS } from 're2js';
import { compilePattern } from '../../pattern.ts';
import { type CdcSettings, type TableLists, tableFilter } from './cdc-config.ts';

const KEYS = ['database.include.list', 'database.exclude.list', 'table.include.list', 'table.exclude.list'] as const;

export function capturedLists(config: CdcSettings): string {
  return JSON.stringify(KEYS.map((key) => config[key].map((pattern) => pattern.pattern())));
}

/** Of what `capturedLists` says. */
export function filterOf(lists: string): (database: string, table: string) => boolean {
  const patterns = JSON.parse(lists) as readonly (readonly string[])[];
  const compiled = KEYS.map((key, index): readonly [string, readonly RE2JS[]] => [
    key,
    (patterns[index] ?? []).map((pattern) => compilePattern(pattern, { ignoresCase: true })),
  ]);
  return tableFilter(Object.fromEntries(compiled) as unknown as TableLists);
}
