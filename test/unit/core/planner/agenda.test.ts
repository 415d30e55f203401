import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Agenda } from '../../../../core/planner/agenda.ts';

describe('Agenda', () => {
  test('gives what is due, the soonest first, and keeps the rest', () => {
    const agenda = new Agenda<string>();
    agenda.add('later', 30);
    agenda.add('first', 10);
    agenda.add('second', 20);

    const due = [agenda.takeDue(20), agenda.takeDue(20), agenda.takeDue(20)];

    expect(due).toEqual(['first', 'second', undefined]);
    expect(agenda.nextAtMs).toBe(30);
  });

  test('has no next time when it is empty', () => {
    const agenda = new Agenda<string>();
    agenda.add('only', 10);
    agenda.takeDue(10);

    expect(agenda.nextAtMs).toBeNull();
    expect(agenda.takeDue(10)).toBeUndefined();
  });

  test('gives times in the order in which sorting has them, whatever was added and taken before', () => {
    const actions = fc.array(
      fc.oneof({ arbitrary: fc.nat({ max: 50 }), weight: 2 }, { arbitrary: fc.constant('take' as const), weight: 1 }),
    );
    fc.assert(
      fc.property(actions, (all) => {
        const agenda = new Agenda<number>();
        const sorted: number[] = [];
        for (const action of all) {
          if (action === 'take') expect(agenda.takeDue(25)).toBe((sorted[0] ?? 26) <= 25 ? sorted.shift() : undefined);
          else {
            agenda.add(action, action);
            sorted.push(action);
            sorted.sort((a, b) => a - b);
          }
          expect(agenda.nextAtMs).toBe(sorted[0] ?? null);
        }
      }),
    );
  });
});
