import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { tableLayouts } from '../../../../../plugins/sources/sqlite-cdc/captured-table.ts';
import { ownNames } from '../../../../../plugins/sources/sqlite-cdc/own-names.ts';
import { triggers } from '../../../../../plugins/sources/sqlite-cdc/triggers.ts';

/** Each way in which the text of triggers depends on a table. */
const TABLES = `
  CREATE TABLE plain (id INTEGER PRIMARY KEY, v);
  CREATE TABLE keyless (a, b TEXT);
  CREATE TABLE composite (a, b, v, PRIMARY KEY (b, a));
  CREATE TABLE bare (a, b, v, PRIMARY KEY (b, a)) WITHOUT ROWID;
  CREATE TABLE mails (id INTEGER PRIMARY KEY, mail UNIQUE, first, last COLLATE NOCASE, UNIQUE (first, last));
  CREATE TABLE names (name TEXT COLLATE NOCASE PRIMARY KEY, v UNIQUE) WITHOUT ROWID;
`;

/**
 * Of the text of all their triggers, in each version of the layout. Databases keep the triggers they have until the version is a
 * later one: whoever changes the text adds a version here, and leaves those before as they are.
 */
const DIGESTS: Readonly<Record<number, string>> = {
  2: 'dafaaee127cff4a67d9f07228887c18b8825c04bdb614df0398efd7e071b4cd5',
};

describe('triggers', () => {
  test('have another text only in another version of the layout, so that captured databases get it, too', () => {
    const database = new DatabaseSync(':memory:');
    onTestFinished(() => database.close());
    database.exec(TABLES);
    const layouts = tableLayouts(database, () => true);
    const names = ownNames({ connector: 'orders', uid: 'uid' });

    const texts = layouts.flatMap((layout, index) => triggers(names, { ...layout, capture: index + 1 }));

    const digest = createHash('sha256').update(texts.join('\n')).digest('hex');
    expect(digest).toBe(DIGESTS[layouts[0]?.v ?? 0]);
  });
});
