import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MariadbGtidSet } from '../../../../clients/binlog/mariadb-gtid-set.ts';
import { MysqlGtidSet } from '../../../../clients/binlog/mysql-gtid-set.ts';

const A = '11111111-1111-1111-1111-111111111111';
const B = '22222222-2222-2222-2222-222222222222';

function gtid(source: string, number: number) {
  return { source, number, text: `${source}:${number}` };
}

describe(MysqlGtidSet, () => {
  test('is printed as the server prints it', () => {
    const text = `${A}:1-5:7:some_tag:1-3,${B}:9`;

    expect(String(MysqlGtidSet.parse(text))).toBe(text);
    expect(String(MysqlGtidSet.parse(` ${B.toUpperCase()}:9 ,\n${A}:1-5:7:some_tag:1-3`))).toBe(text);
    expect(String(new MysqlGtidSet())).toBe('');
  });

  test('holds what was added to it, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(A, B, `${A}:tag`), fc.integer({ min: 1, max: 30 }))), (added) => {
        const set = new MysqlGtidSet();
        for (const [source, number] of added) set.add(gtid(source, number));

        const numbers = (source: string): readonly number[] =>
          [...new Set(added.flatMap(([of, number]) => (of === source ? number : [])))].sort((a, b) => a - b);
        const blocks = [A, `${A}:tag`, B].filter((source) => numbers(source).length > 0);
        const block = (source: string): string => `${source}${intervals(numbers(source))}`;
        const merged = blocks.map(block).join(',').replace(`,${A}:tag`, ':tag');
        expect(String(set)).toBe(blocks.includes(A) ? merged : blocks.map(block).join(','));
        for (const source of [A, B, `${A}:tag`]) {
          const held = Array.from({ length: 31 }, (_, number) => number).filter((number) => set.has(gtid(source, number)));
          expect(held).toEqual(numbers(source));
        }
      }),
    );
  });

  test('goes over the wire as eight bytes of zeros while it is empty', () => {
    expect(new MysqlGtidSet().encode()).toEqual(Buffer.alloc(8));
  });

  test('refuses what is no set', () => {
    for (const text of ['0-1-2', `${A}x:1`, 'nothing']) expect(() => MysqlGtidSet.parse(text)).toThrow(TypeError);
  });
});

describe(MariadbGtidSet, () => {
  test('holds the last transaction of each domain', () => {
    const set = MariadbGtidSet.parse('1-12-90, 0-11-6');
    set.add({ source: '0', number: 7, text: '0-13-7' });
    set.add({ source: '10', number: 1, text: '10-11-1' });

    expect(String(set)).toBe('0-13-7,1-12-90,10-11-1');
  });

  test('refuses what is no set', () => {
    for (const text of [`${A}:1`, '0-1', 'nothing']) expect(() => MariadbGtidSet.parse(text)).toThrow(TypeError);
  });
});

function intervals(numbers: readonly number[]): string {
  let text = '';
  for (let index = 0; index < numbers.length; index += 1) {
    const first = numbers[index] ?? 0;
    while (numbers[index + 1] === (numbers[index] ?? 0) + 1) index += 1;
    const last = numbers[index] ?? 0;
    text += first === last ? `:${first}` : `:${first}-${last}`;
  }
  return text;
}
