/** What every `Secrets` does. A new implementation is one more call of `secretsContract`. */
import { expect } from 'vitest';
import type { SecretAnswer, SecretReference, Secrets } from '../../core/ports.ts';
import { contractSuite } from './cases.ts';

export interface SecretsUnderTest {
  readonly secrets: Secrets;
  /** Allowed, and there, with these values; at least two, those with the same path kept together where there is a path. */
  readonly values: readonly (readonly [SecretReference, string])[];
  /** Allowed, and not there. */
  readonly missing: readonly SecretReference[];
  /** There, and not allowed: what could be named if the operator had said so. */
  readonly refused: readonly SecretReference[];
  /** Not allowed, and not there. */
  readonly refusedAndMissing: readonly SecretReference[];
  /** What none of the messages may hold. */
  readonly hidden: readonly string[];
  close(): Promise<void>;
}

export function secretsContract({ name, newSecrets }: { readonly name: string; newSecrets(): Promise<SecretsUnderTest> }): void {
  contractSuite<SecretsUnderTest>({
    title: name,
    start: newSecrets,
    groups: {
      resolve(check) {
        check('answers what is allowed and there, in the order asked', [], async ({ secrets, values }) => {
          const asked = [...values, ...values.toReversed()];

          const answers = await secrets.resolve(asked.map(([reference]) => reference));

          expect(answers).toEqual(asked.map(([, value]) => ({ value })));
        });

        check('answers nothing for nothing', [], async ({ secrets }) => {
          expect(await secrets.resolve([])).toEqual([]);
        });

        check('says what is missing, beside what is there', [], async ({ secrets, values, missing }) => {
          const there = values.map(([reference]) => reference);

          const answers = await secrets.resolve([...missing, ...there]);

          expect(answers.slice(0, missing.length).map(kindOf)).toEqual(missing.map(() => 'missing'));
          expect(answers.slice(missing.length).map(kindOf)).toEqual(there.map(() => 'value'));
        });

        check('refuses what no operator allowed, and tells nothing of what is there', [], async (subject) => {
          const { secrets, refused, refusedAndMissing } = subject;

          const answers = await secrets.resolve([...refused, ...refusedAndMissing]);

          expect(answers.map(kindOf)).toEqual([...refused, ...refusedAndMissing].map(() => 'refused'));
        });

        check('tells no value in any message', [], async ({ secrets, missing, refused, refusedAndMissing, hidden }) => {
          const answers = await secrets.resolve([...missing, ...refused, ...refusedAndMissing]);

          const told = JSON.stringify(answers);
          expect(hidden.filter((value) => told.includes(value))).toEqual([]);
        });

        check('knows no provider but its own', [], async ({ secrets }) => {
          const [answer] = await secrets.resolve([{ provider: 'vault', path: '/db', key: 'password' }]);

          expect(answer && kindOf(answer)).toBe('missing');
        });
      },
    },
  });
}

function kindOf(answer: SecretAnswer): string {
  return Object.keys(answer).join();
}
