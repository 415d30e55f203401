/** What every `StateStore` does. A new implementation is one more call of `stateStoreContract`. */
import { describe, expect, type TestContext, test } from 'vitest';
import { connectorKey, decodeConnector, encodeConnector } from '../../core/connector.ts';
import { RetryableError } from '../../core/errors.ts';
import type { Clock, DocumentKey, DocumentPage, StateStore } from '../../core/ports.ts';
import { ManualClock } from '../support/manual-clock.ts';

interface StateStoreSubject {
  readonly name: string;
  /** A store without documents. Called inside a test, so that it may clean up with `onTestFinished`. */
  newStore(deps: { readonly clock: Clock }): StateStore | Promise<StateStore>;
  /** Tests, by name, that this implementation cannot pass. The reason is printed. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

interface Fixture {
  readonly store: StateStore;
  readonly clock: ManualClock;
}

const key: DocumentKey = { partition: 'cursors', sort: 'orders/0' };
const other: DocumentKey = { partition: 'cursors', sort: 'orders/1' };
const DAY_MS = 86_400_000;

export function stateStoreContract({ name, newStore, skip = [] }: StateStoreSubject): void {
  const unknown = new Set(skip.flatMap(({ tests }) => tests));

  function behaviour(title: string, body: (fixture: Fixture) => Promise<void>): void {
    const reason = skip.find(({ tests }) => tests.includes(title))?.reason;
    unknown.delete(title);
    test(title, async (context: TestContext) => {
      if (reason !== undefined) context.skip(reason);
      const clock = new ManualClock();
      await body({ store: await newStore({ clock }), clock });
    });
  }

  describe(name, () => {
    describe('put', () => puts(behaviour));
    describe('delete', () => deletes(behaviour));
    describe('concurrency', () => races(behaviour));
    describe('list', () => lists(behaviour));
    describe('expiry', () => expiry(behaviour));
    describe('values', () => values(behaviour));
  });
  if (unknown.size > 0) throw new Error(`no test of the StateStore contract is called: ${[...unknown].join(', ')}`);
}

type Behaviour = (title: string, body: (fixture: Fixture) => Promise<void>) => void;

function puts(behaviour: Behaviour): void {
  behaviour('a document that was never written is null', async ({ store }) => {
    expect(await store.get(key)).toBeNull();
  });

  behaviour('a written document is read back with the version that the write answered', async ({ store }) => {
    const version = await created(store, key, 'one');

    expect(await store.get(key)).toEqual({ value: 'one', version });
  });

  behaviour('a write on the current version replaces the value and gives a new version', async ({ store }) => {
    const first = await created(store, key, 'one');

    const second = versionOf(await store.put(key, 'two', { ifVersion: first }));

    expect(second).not.toBe(first);
    expect(await store.get(key)).toEqual({ value: 'two', version: second });
  });

  behaviour('writing an equal value gives a new version too', async ({ store }) => {
    const first = await created(store, key, 'one');

    const second = versionOf(await store.put(key, 'one', { ifVersion: first }));

    expect(second).not.toBe(first);
  });

  behaviour('a write on an older version changes nothing and answers the current document', async ({ store }) => {
    const first = await created(store, key, 'one');
    const second = versionOf(await store.put(key, 'two', { ifVersion: first }));

    const answer = await store.put(key, 'late', { ifVersion: first });

    expect(answer).toEqual({ conflict: true, current: { value: 'two', version: second } });
    expect(await store.get(key)).toEqual({ value: 'two', version: second });
  });

  behaviour('a write on a version of a document that is gone answers null and creates nothing', async ({ store }) => {
    const version = await created(store, key, 'one');
    await store.delete(key, { ifVersion: version });

    const answer = await store.put(key, 'late', { ifVersion: version });

    expect(answer).toEqual({ conflict: true, current: null });
    expect(await store.get(key)).toBeNull();
  });

  behaviour('creating a document that exists changes nothing and answers it', async ({ store }) => {
    const version = await created(store, key, 'one');

    const answer = await store.put(key, 'again', { ifAbsent: true });

    expect(answer).toEqual({ conflict: true, current: { value: 'one', version } });
    expect(await store.get(key)).toEqual({ value: 'one', version });
  });

  behaviour('a version holds for its own key only', async ({ store }) => {
    const version = await created(store, key, 'one');
    const otherVersion = await created(store, other, 'other');

    const answer = await store.put(other, 'stray', { ifVersion: version });

    expect(version).not.toBe(otherVersion);
    expect(answer).toEqual({ conflict: true, current: { value: 'other', version: otherVersion } });
  });

  behaviour('a write whose reply was lost is recognised when it is sent again', async ({ store }) => {
    const version = await created(store, key, 'one');
    const lossy = losingFirstReply(store);
    await expect(lossy.put(key, 'two', { ifVersion: version })).rejects.toThrow(RetryableError);

    const answer = await lossy.put(key, 'two', { ifVersion: version });

    const current = await store.get(key);
    expect(current?.value).toBe('two');
    expect(answer).toEqual({ conflict: true, current });
  });

  behaviour('a creation whose reply was lost is recognised when it is sent again', async ({ store }) => {
    const lossy = losingFirstReply(store);
    await expect(lossy.put(key, 'mine', { ifAbsent: true })).rejects.toThrow(RetryableError);

    const answer = await lossy.put(key, 'mine', { ifAbsent: true });

    const current = await store.get(key);
    expect(current?.value).toBe('mine');
    expect(answer).toEqual({ conflict: true, current });
  });
}

function deletes(behaviour: Behaviour): void {
  behaviour('deletes a document of the given version', async ({ store }) => {
    const version = await created(store, key, 'one');

    const answer = await store.delete(key, { ifVersion: version });

    expect(answer).toEqual({ deleted: true });
    expect(await store.get(key)).toBeNull();
  });

  behaviour('keeps a document that has another version by now, and answers it', async ({ store }) => {
    const first = await created(store, key, 'one');
    const second = versionOf(await store.put(key, 'two', { ifVersion: first }));

    const answer = await store.delete(key, { ifVersion: first });

    expect(answer).toEqual({ conflict: true, current: { value: 'two', version: second } });
    expect(await store.get(key)).toEqual({ value: 'two', version: second });
  });

  behaviour('deleting a document that is already gone succeeds', async ({ store }) => {
    const version = await created(store, key, 'one');
    await store.delete(key, { ifVersion: version });

    expect(await store.delete(key, { ifVersion: version })).toEqual({ deleted: true });
  });

  behaviour('a version never returns when a document is deleted and created again', async ({ store }) => {
    const seen = new Set<string>();
    const rounds = 50;
    for (let round = 0; round < rounds; round += 1) {
      const first = await created(store, key, 'same');
      const second = versionOf(await store.put(key, 'same', { ifVersion: first }));
      await store.delete(key, { ifVersion: second });
      seen.add(first).add(second);
    }

    expect(seen.size).toBe(2 * rounds);
  });

  behaviour('a writer from before a deletion cannot change the document created after it', async ({ store }) => {
    const stale = await created(store, key, 'one');
    await store.delete(key, { ifVersion: stale });
    const version = await created(store, key, 'one');

    const put = await store.put(key, 'zombie', { ifVersion: stale });
    const deletion = await store.delete(key, { ifVersion: stale });

    const current = { value: 'one', version };
    expect(put).toEqual({ conflict: true, current });
    expect(deletion).toEqual({ conflict: true, current });
    expect(await store.get(key)).toEqual(current);
  });
}

function races(behaviour: Behaviour): void {
  const writers = Array.from({ length: 32 }, (_, index) => index);
  const incrementsEach = 8;

  behaviour('of 32 racing writers exactly one wins each version, and no increment is lost', async ({ store }) => {
    await created(store, key, '0');
    const wonVersions: string[] = [];

    async function increment(): Promise<void> {
      let current = await store.get(key);
      // Each round ends with somebody's win, so nobody needs more rounds than there are wins.
      for (let round = 0; current !== null && round <= writers.length * incrementsEach; round += 1) {
        const base = current.version;
        const answer = await store.put(key, String(Number(current.value) + 1), { ifVersion: base });
        if (!('conflict' in answer)) {
          wonVersions.push(base);
          return;
        }
        current = answer.current;
      }
      throw new Error('never won');
    }
    await Promise.all(
      writers.map(async () => {
        for (let count = 0; count < incrementsEach; count += 1) await increment();
      }),
    );

    const wins = writers.length * incrementsEach;
    expect(wonVersions).toHaveLength(wins);
    expect(new Set(wonVersions).size).toBe(wins);
    expect((await store.get(key))?.value).toBe(String(wins));
  });

  behaviour('of 32 racing creators exactly one wins, and the others are answered its document', async ({ store }) => {
    const answers = await Promise.all(writers.map((writer) => store.put(key, `writer ${writer}`, { ifAbsent: true })));

    const current = await store.get(key);
    const losers = answers.filter((answer) => 'conflict' in answer);
    expect(losers).toEqual(Array.from({ length: 31 }, () => ({ conflict: true, current })));
    expect(answers).toContainEqual({ version: current?.version });
  });

  behaviour('every acknowledged write is seen by the reads that begin after it', async ({ store }) => {
    let version = await created(store, key, '0');
    const seen: (string | undefined)[] = [];
    for (let round = 1; round <= 20; round += 1) {
      version = versionOf(await store.put(key, String(round), { ifVersion: version }));
      const [document, page] = await Promise.all([store.get(key), store.list(key.partition, { limit: 10 })]);
      seen.push(document?.value, page.documents[0]?.value);
    }

    expect(seen).toEqual(Array.from({ length: 40 }, (_, index) => String(Math.floor(index / 2) + 1)));
  });
}

function lists(behaviour: Behaviour): void {
  behaviour('a partition without documents is one empty page', async ({ store }) => {
    await created(store, key, 'one');

    expect(await store.list('nothing here', { limit: 10 })).toEqual({ documents: [] });
  });

  behaviour('lists documents with their keys and versions', async ({ store }) => {
    const version = await created(store, key, 'one');

    expect(await store.list(key.partition, { limit: 10 })).toEqual({ documents: [{ key, value: 'one', version }] });
  });

  behaviour('pages through thousands of documents, each once, in order', async ({ store }) => {
    const sorts = Array.from({ length: 2_500 }, (_, index) => `shard ${index}`);
    await Promise.all(sorts.map((sort) => created(store, { partition: 'many', sort }, sort)));

    const pages = await pagesOf(store, 'many', 1_000);

    expect(pages.map(({ documents }) => documents.length)).toEqual([1_000, 1_000, 500]);
    expect(sortsOf(pages)).toEqual(sorts.sort());
  });

  behaviour('the last page bears no next, also when it is full', async ({ store }) => {
    for (const sort of ['a', 'b', 'c', 'd']) await created(store, { partition: 'four', sort }, sort);

    const pages = await pagesOf(store, 'four', 2);

    expect(pages.map(({ documents }) => documents.length)).toEqual([2, 2]);
  });

  behaviour('orders by the UTF-8 bytes of the sort key', async ({ store }) => {
    const ascending = ['A', 'B', 'a', 'aa', 'b', '~', 'é', '\u{fffd}', '\u{10000}', '\u{1f600}'];
    for (const sort of ascending.toReversed()) await created(store, { partition: 'order', sort }, sort);

    expect(sortsOf(await pagesOf(store, 'order', 3))).toEqual(ascending);
  });

  behaviour('keeps partitions apart whatever characters they hold', async ({ store }) => {
    const partitions = [
      'a',
      'a/',
      'a/b',
      'A',
      'a%2Fb',
      'a\u0000',
      'a\u0000b',
      "a'b",
      'a"b',
      'a b',
      'a\nb',
      'é',
      'e\u0301',
      '\u{1f600}',
    ];
    for (const partition of partitions) await created(store, { partition, sort: 'b' }, partition);

    const found = await Promise.all(partitions.map((partition) => store.list(partition, { limit: 10 })));

    expect(found.map(({ documents }) => documents.map(({ value }) => value))).toEqual(partitions.map((partition) => [partition]));
  });

  behaviour('keeps sort keys apart whatever characters they hold', async ({ store }) => {
    const sorts = [
      'a',
      'a/',
      'a/b',
      'A',
      'a%2Fb',
      'a\u0000',
      'a\u0000b',
      "a'b",
      'a"b',
      'a b',
      'a\nb',
      'é',
      'e\u0301',
      '\u{1f600}',
      '*',
      '%',
    ];
    for (const sort of sorts) await created(store, { partition: 'odd', sort }, sort);

    const found = await Promise.all(sorts.map((sort) => store.get({ partition: 'odd', sort })));

    expect(found.map((document) => document?.value)).toEqual(sorts);
    expect(sortsOf(await pagesOf(store, 'odd', 5)).sort()).toEqual(sorts.sort());
  });

  behaviour('inserting and deleting between pages neither hides nor repeats the other documents', async ({ store }) => {
    const sorts = ['b', 'd', 'f', 'h'];
    const versions = new Map<string, string>();
    for (const sort of sorts) versions.set(sort, await created(store, { partition: 'moving', sort }, sort));

    const first = await store.list('moving', { limit: 2 });
    for (const sort of ['a', 'c', 'e', 'g']) await created(store, { partition: 'moving', sort }, sort);
    await store.delete({ partition: 'moving', sort: 'd' }, { ifVersion: versions.get('d') ?? '' });
    const rest = await pagesOf(store, 'moving', 2, first.next);

    expect(sortsOf([first])).toEqual(['b', 'd']);
    expect(sortsOf(rest)).toEqual(['e', 'f', 'g', 'h']);
  });

  behaviour('refuses a page of no or of more than 1000 documents', async ({ store }) => {
    await expect(store.list('any', { limit: 0 })).rejects.toThrow('1..1000');
    await expect(store.list('any', { limit: 1_001 })).rejects.toThrow('1..1000');
  });
}

function expiry(behaviour: Behaviour): void {
  async function expired({ store, clock }: Fixture): Promise<string> {
    const version = versionOf(await store.put(key, 'old', { ifAbsent: true }, { expiresAtMs: clock.nowMs() + DAY_MS }));
    clock.advance(DAY_MS);
    return version;
  }

  behaviour('a document stays until its time has come', async ({ store, clock }) => {
    await store.put(key, 'old', { ifAbsent: true }, { expiresAtMs: clock.nowMs() + DAY_MS });

    clock.advance(DAY_MS - 1);

    expect((await store.get(key))?.value).toBe('old');
  });

  behaviour('an expired document is gone for get', async (fixture) => {
    await expired(fixture);

    expect(await fixture.store.get(key)).toBeNull();
  });

  behaviour('an expired document is gone for list, which fills its pages with the others', async (fixture) => {
    await expired(fixture);
    for (const sort of ['a', 'z1', 'z2']) await created(fixture.store, { partition: key.partition, sort }, sort);

    const pages = await pagesOf(fixture.store, key.partition, 2);

    expect(pages.map((page) => sortsOf([page]))).toEqual([['a', 'z1'], ['z2']]);
  });

  behaviour('an expired document is gone for a write on its version', async (fixture) => {
    const version = await expired(fixture);

    const answer = await fixture.store.put(key, 'late', { ifVersion: version });

    expect(answer).toEqual({ conflict: true, current: null });
    expect(await fixture.store.get(key)).toBeNull();
  });

  behaviour('an expired document does not stand in the way of a new one', async (fixture) => {
    const stale = await expired(fixture);

    const version = await created(fixture.store, key, 'new');

    expect(version).not.toBe(stale);
    fixture.clock.advance(DAY_MS);
    expect(await fixture.store.get(key)).toEqual({ value: 'new', version });
  });

  behaviour('deleting an expired document succeeds, whatever the version', async (fixture) => {
    await expired(fixture);

    expect(await fixture.store.delete(key, { ifVersion: 'another' })).toEqual({ deleted: true });
  });

  behaviour('each write sets the expiry anew: without one the document stays', async ({ store, clock }) => {
    const first = versionOf(await store.put(key, 'old', { ifAbsent: true }, { expiresAtMs: clock.nowMs() + DAY_MS }));
    const version = versionOf(await store.put(key, 'kept', { ifVersion: first }));

    clock.advance(10 * DAY_MS);

    expect(await store.get(key)).toEqual({ value: 'kept', version });
  });
}

function values(behaviour: Behaviour): void {
  behaviour('keeps a value of 256 KB', async ({ store }) => {
    const value = 'x'.repeat(256 * 1_024);

    const version = await created(store, key, value);

    expect(await store.get(key)).toEqual({ value, version });
  });

  behaviour('keeps values of any characters', async ({ store }) => {
    const texts = [
      '',
      ' ',
      'null',
      '{"a":1}',
      'é',
      'e\u0301',
      '漢字',
      '\u{1f600}',
      'a\u0000b',
      '\u0000',
      '\u{feff}bom',
      "it's; --",
      '\r\n',
    ];
    for (const [index, text] of texts.entries()) await created(store, { partition: 'texts', sort: `${index}` }, text);

    const found = await Promise.all(texts.map((_, index) => store.get({ partition: 'texts', sort: `${index}` })));

    expect(found.map((document) => document?.value)).toEqual(texts);
  });

  behaviour('answers a corrupt document as it is, and its codec refuses it by name', async ({ store }) => {
    const text = encodeConnector(aConnector('orders')).slice(0, 40);
    await created(store, connectorKey('orders'), text);

    const document = await store.get(connectorKey('orders'));

    expect(document?.value).toBe(text);
    expect(() => decodeConnector(document?.value ?? '', 'orders')).toThrow(
      expect.objectContaining({ code: 'store.document_corrupt', message: expect.stringContaining('orders') }),
    );
  });

  behaviour('answers a document of a newer format as it is, and its codec refuses it by name', async ({ store }) => {
    const text = JSON.stringify({ ...aConnector('orders'), v: 99 });
    await created(store, connectorKey('orders'), text);

    const document = await store.get(connectorKey('orders'));

    expect(document?.value).toBe(text);
    expect(() => decodeConnector(document?.value ?? '', 'orders')).toThrow(
      expect.objectContaining({ code: 'store.document_newer', message: expect.stringContaining('orders') }),
    );
  });
}

function aConnector(name: string) {
  return { name, uid: 'u1', revision: 1, targetState: 'running', config: { topics: 'orders' }, createdAtMs: 0 } as const;
}

async function created(store: StateStore, at: DocumentKey, value: string): Promise<string> {
  return versionOf(await store.put(at, value, { ifAbsent: true }));
}

function versionOf(answer: Awaited<ReturnType<StateStore['put']>>): string {
  if ('conflict' in answer) throw new Error(`conflict with ${JSON.stringify(answer.current)}`);
  return answer.version;
}

async function pagesOf(store: StateStore, partition: string, limit: number, from?: string): Promise<DocumentPage[]> {
  const pages: DocumentPage[] = [];
  let after = from;
  do {
    const page = await store.list(partition, after === undefined ? { limit } : { limit, after });
    pages.push(page);
    after = page.next;
  } while (after !== undefined);
  return pages;
}

function sortsOf(pages: readonly DocumentPage[]): string[] {
  return pages.flatMap(({ documents }) => documents.map(({ key: { sort } }) => sort));
}

/** Applies the first write and loses its reply, as a network does. */
function losingFirstReply(store: StateStore): Pick<StateStore, 'put'> {
  let lost = false;
  return {
    async put(...write) {
      const answer = await store.put(...write);
      if (lost) return answer;
      lost = true;
      throw new RetryableError('reply lost', { code: 'store.unavailable' });
    },
  };
}
