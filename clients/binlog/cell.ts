/**
 * A value of a column, exactly:
 *
 * | column                                              | cell                                                            |
 * | --------------------------------------------------- | --------------------------------------------------------------- |
 * | integers up to 32 bits, YEAR, FLOAT, DOUBLE         | `number`                                                        |
 * | BIGINT                                              | `bigint`                                                        |
 * | DECIMAL, DATE, TIME, DATETIME, TIMESTAMP (in UTC)   | text, as the server prints it                                   |
 * | CHAR, VARCHAR, TEXT, ENUM, SET, JSON                | text                                                            |
 * | BINARY, VARBINARY, BLOB, BIT                        | bytes; those of a BIT from its most significant on              |
 * | GEOMETRY                                            | bytes: 4 of the SRID, least significant first, then its WKB     |
 * | VECTOR                                              | bytes: 4 of each float, least significant first                 |
 */
export type Cell = null | number | bigint | string | Uint8Array;

/** The cells of a row, in the order of its table's columns. */
export type Row = readonly Cell[];
