/** Contract suites: one subject per case, and no case is skipped without a printed reason. */
import { afterAll, describe, expect, test } from 'vitest';

export interface Skip {
  readonly reason: string;
  /** Names of cases. */
  readonly tests: readonly string[];
}

/** `needs` names what a subject may lack; a case whose subject lacks it is skipped. */
export type Case<Subject> = <Needs extends keyof Subject = never>(
  name: string,
  needs: readonly Needs[],
  body: (subject: Subject & Required<Pick<Subject, Needs>>) => Promise<void>,
) => void;

export interface Suite<Subject> {
  readonly title: string;
  readonly skip?: readonly Skip[] | undefined;
  /** Of one case, with making and closing its subject; absent: Vitest's own. */
  readonly timeoutMs?: number;
  /** Makes the subject of one case. */
  start(): Promise<Subject>;
  /** Groups of cases by title. */
  readonly groups: Readonly<Record<string, (check: Case<Subject>) => void>>;
}

export function contractSuite<Subject extends { close(): Promise<void> }>({
  title,
  skip: skips = [],
  timeoutMs,
  start,
  groups,
}: Suite<Subject>): void {
  const unknownSkips = new Set(skips.flatMap(({ tests }) => tests));

  const check: Case<Subject> = (name, needs, body) => {
    unknownSkips.delete(name);
    test(name, timeoutMs === undefined ? {} : { timeout: timeoutMs }, async ({ skip }) => {
      const reason = skips.find(({ tests }) => tests.includes(name))?.reason;
      if (reason !== undefined) skip(reason);
      const subject = await start();
      try {
        const lacking = needs.find((need) => subject[need] === undefined);
        if (lacking !== undefined) skip(`the subject has no \`${String(lacking)}\``);
        await body(subject as Parameters<typeof body>[0]);
      } finally {
        await subject.close();
      }
    });
  };

  describe(title, () => {
    for (const [group, define] of Object.entries(groups)) describe(group, () => define(check));
    afterAll(() => expect([...unknownSkips], 'names of skipped cases that do not exist').toEqual([]));
  });
}
