/** What a server with `binlog_row_metadata=FULL` says of a table's columns beside their types. */
import { ByteReader } from '../mysql/byte-reader.ts';
import { charsetOf } from '../mysql/collations.ts';
import { textDecoderOf } from '../mysql/text-decoder.ts';
import { UnreadableBinlog } from './unreadable.ts';
import { hasCollation, isNumeric, type WireColumn, WireType } from './wire-type.ts';

const Field = {
  SIGNEDNESS: 1,
  DEFAULT_CHARSET: 2,
  COLUMN_CHARSET: 3,
  COLUMN_NAME: 4,
  SET_MEMBERS: 5,
  ENUM_MEMBERS: 6,
  PRIMARY_KEY: 8,
  PRIMARY_KEY_WITH_PREFIX: 9,
  MEMBERS_DEFAULT_CHARSET: 10,
  MEMBERS_COLUMN_CHARSET: 11,
} as const;

export interface TableMetadata {
  readonly names: readonly string[];
  readonly isUnsigned: readonly boolean[];
  /** `null` for columns that are no text. */
  readonly charsets: readonly (string | null)[];
  readonly members: readonly (readonly string[])[];
  /** Indexes of columns, in the order of the key. */
  readonly primaryKey: readonly number[];
}

/** `null`: the server says no names. */
export function readTableMetadata(
  columns: readonly WireColumn[],
  { bytes, isMariadb }: { readonly bytes: ByteReader; readonly isMariadb: boolean },
): TableMetadata | null {
  const fields = new Map<number, Buffer>();
  while (bytes.left > 0) fields.set(bytes.uint8(), bytes.bytes(bytes.length()));
  const names = namesIn(fields.get(Field.COLUMN_NAME));
  if (names.length !== columns.length) return null;
  const charsets = charsetsOf(columns, { fields, isMariadb });
  return {
    names,
    isUnsigned: signedness(columns, fields.get(Field.SIGNEDNESS)),
    charsets,
    members: membersOf(columns, fields, charsets),
    primaryKey: primaryKeyIn(fields),
  };
}

function namesIn(field: Buffer | undefined): readonly string[] {
  const names: string[] = [];
  if (field === undefined) return names;
  const bytes = new ByteReader().take(field);
  while (bytes.left > 0) names.push(bytes.utf8(bytes.length()));
  return names;
}

/** A bit for each numeric column, the first one the most significant. */
function signedness(columns: readonly WireColumn[], field: Buffer = Buffer.alloc(0)): readonly boolean[] {
  let numeric = 0;
  return columns.map(({ type }) => {
    if (!isNumeric(type)) return false;
    const bit = ((field[numeric >> 3] ?? 0) << (numeric & 7)) & 0x80;
    numeric += 1;
    return bit !== 0;
  });
}

function charsetsOf(
  columns: readonly WireColumn[],
  { fields, isMariadb }: { readonly fields: ReadonlyMap<number, Buffer>; readonly isMariadb: boolean },
): readonly (string | null)[] {
  const ofTexts = collations(columns, ({ type }) => hasCollation(type, isMariadb), {
    usual: fields.get(Field.DEFAULT_CHARSET),
    each: fields.get(Field.COLUMN_CHARSET),
  });
  const ofMembers = collations(columns, ({ type }) => hasMembers(type), {
    usual: fields.get(Field.MEMBERS_DEFAULT_CHARSET),
    each: fields.get(Field.MEMBERS_COLUMN_CHARSET),
  });
  return columns.map((_, index) => {
    const collation = ofTexts[index] ?? ofMembers[index];
    if (collation === undefined) return null;
    const charset = charsetOf(collation);
    if (charset !== undefined) return charset;
    throw new UnreadableBinlog(`a column with collation ${collation}, which is none that is known`, 'give it another collation');
  });
}

/** One for all and those that differ, or one for each; `undefined` for columns that are not meant. */
function collations(
  columns: readonly WireColumn[],
  isMeant: (column: WireColumn) => boolean,
  { usual, each }: { readonly usual: Buffer | undefined; readonly each: Buffer | undefined },
): readonly (number | undefined)[] {
  const bytes = new ByteReader();
  let meant = 0;
  if (each !== undefined) {
    bytes.take(each);
    return columns.map((column) => (isMeant(column) ? bytes.length() : undefined));
  }
  if (usual === undefined) return columns.map(() => undefined);
  bytes.take(usual);
  const common = bytes.length();
  const differing = new Map<number, number>();
  while (bytes.left > 0) differing.set(bytes.length(), bytes.length());
  return columns.map((column) => {
    if (!isMeant(column)) return undefined;
    meant += 1;
    return differing.get(meant - 1) ?? common;
  });
}

function hasMembers(type: number): boolean {
  return type === WireType.ENUM || type === WireType.SET;
}

function membersOf(
  columns: readonly WireColumn[],
  fields: ReadonlyMap<number, Buffer>,
  charsets: readonly (string | null)[],
): readonly (readonly string[])[] {
  const enums = new ByteReader().take(fields.get(Field.ENUM_MEMBERS) ?? Buffer.alloc(0));
  const sets = new ByteReader().take(fields.get(Field.SET_MEMBERS) ?? Buffer.alloc(0));
  return columns.map(({ type }, index) => {
    if (!hasMembers(type)) return [];
    const bytes = type === WireType.ENUM ? enums : sets;
    if (bytes.left === 0) return [];
    return Array.from({ length: bytes.length() }, () => memberText(bytes, charsets[index] ?? 'utf8mb4'));
  });
}

function memberText(bytes: ByteReader, charset: string): string {
  const text = bytes.bytes(bytes.length());
  // Of a set that cannot be read the column's own reader complains, if anybody wants it.
  const decode = textDecoderOf(charset) ?? textDecoderOf('latin1');
  return decode?.(text, 0, text.length) ?? '';
}

function primaryKeyIn(fields: ReadonlyMap<number, Buffer>): readonly number[] {
  const simple = fields.get(Field.PRIMARY_KEY);
  const prefixed = fields.get(Field.PRIMARY_KEY_WITH_PREFIX);
  const bytes = new ByteReader().take(simple ?? prefixed ?? Buffer.alloc(0));
  const indexes: number[] = [];
  while (bytes.left > 0) {
    indexes.push(bytes.length());
    if (simple === undefined) bytes.length();
  }
  return indexes;
}
