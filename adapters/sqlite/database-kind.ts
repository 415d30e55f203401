import type { ErrorCode } from '../../core/error-codes.ts';

/** What a database file of the product is for, and what goes with that. */
export interface DatabaseKind {
  /** As errors name it: `state store`. */
  readonly what: string;
  /** Says that a file is of this kind. */
  readonly applicationId: number;
  readonly schemaVersion: number;
  /** Statements that create an empty one. */
  readonly schema: string;
  /** Statements that add what an older version has not created, and which it does not miss: nothing happens where it is there. */
  readonly additions?: string;
  /** Pragmas of each connection, set before the schema is created. */
  readonly settings: string;
  readonly codes: {
    /** Cannot be opened, is not of this kind, or is damaged. */
    readonly unusable: ErrorCode;
    readonly newer: ErrorCode;
    /** May succeed later. */
    readonly unavailable: ErrorCode;
  };
}
