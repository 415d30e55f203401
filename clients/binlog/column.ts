/** A column as a table map describes it. */
export type ColumnKind =
  | 'tinyint'
  | 'smallint'
  | 'mediumint'
  | 'int'
  | 'bigint'
  | 'float'
  | 'double'
  | 'decimal'
  | 'bit'
  | 'date'
  | 'time'
  | 'datetime'
  | 'timestamp'
  | 'year'
  | 'char'
  | 'varchar'
  | 'text'
  | 'binary'
  | 'varbinary'
  | 'blob'
  | 'enum'
  | 'set'
  | 'json'
  | 'geometry'
  | 'vector';

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly isUnsigned: boolean;
  /** Whether a null can stand in it. */
  readonly optional: boolean;
  /** Bytes of texts and binaries, bits of a BIT, digits of a DECIMAL; 0 where that says nothing. */
  readonly length: number;
  /** Digits behind the point of a DECIMAL, of a second of times. */
  readonly scale: number;
  /** Of texts, ENUM and SET; `null` for all others. */
  readonly charset: string | null;
  /** Of ENUM and SET. */
  readonly members: readonly string[];
}
