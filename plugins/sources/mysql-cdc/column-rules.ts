/** What of a column may be seen. */
import { createHash } from 'node:crypto';
import type { Cell } from '../../../clients/binlog/cell.ts';
import { isChosen } from '../change-capture/patterns-key.ts';
import type { CdcSettings } from './cdc-config.ts';
import type { ColumnForm } from './column-form.ts';

export type ColumnRule = 'show' | 'leaveOut' | 'mask' | 'hash';

export function columnRule(config: CdcSettings, name: string): ColumnRule {
  const lists = { include: config['column.include.list'], exclude: config['column.exclude.list'] };
  if (!isChosen(name, lists)) return 'leaveOut';
  if (config['column.mask.list'].some((pattern) => pattern.matches(name))) return 'mask';
  return config['column.hash.list'].some((pattern) => pattern.matches(name)) ? 'hash' : 'show';
}

const MASK = '****';

export const masked: ColumnForm = { schema: { type: 'string', optional: false }, toValue: () => MASK };

/** The same for the same value, so that rows can still be joined and counted by it. */
export function hashed(salt: string): ColumnForm {
  return {
    schema: { type: 'string', optional: false },
    toValue: (cell) => createHash('sha256').update(salt).update(bytesOf(cell)).digest('hex'),
  };
}

function bytesOf(cell: NonNullable<Cell>): string | Uint8Array {
  return cell instanceof Uint8Array ? cell : String(cell);
}
