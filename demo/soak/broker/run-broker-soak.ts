/** `npm run soak -- --broker rocketmq`: the soak of a broker in a folder of its own, and what it tells. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { missingJavaTools } from '../../../servers/java-tools.ts';
import { type BrokerSoak, isPassed, soakBroker } from './broker-soak.ts';

export interface BrokerSoakRun {
  readonly records: number;
  readonly json: boolean;
  readonly say: (text: string) => void;
}

/** Answers the exit code. */
export async function runBrokerSoak({ records, json, say }: BrokerSoakRun): Promise<number> {
  const missing = missingJavaTools();
  if (missing !== null) {
    process.stderr.write(`${missing}\n`);
    return 3;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sortie-soak-'));
  let passed = false;
  try {
    const soak = await soakBroker({ folder, records, say });
    passed = isPassed(soak);
    print(soak);
    if (json) process.stdout.write(`${JSON.stringify(soak)}\n`);
    return passed ? 0 : 1;
  } finally {
    if (passed) rmSync(folder, { recursive: true, force: true });
    else say(`everything is left in ${folder}`);
  }
}

function print(soak: BrokerSoak): void {
  const count = (value: number): string => value.toLocaleString('en-US');
  const { lost, duplicated, outOfOrder, againAfterStop } = soak;
  const lines = [
    '',
    isPassed(soak)
      ? '  0 lost, 0 duplicated, in rows and in files.'
      : `  ${count(lost)} lost, ${count(duplicated)} duplicated, ${outOfOrder} queues out of order, ${againAfterStop} repeated after a clean stop:`,
    ...soak.examples.map((example) => `    ${example}`),
    '',
    `  compared        ${count(soak.records)} records of the topic, one by one, with three sinks`,
    `  killed          the broker ${soak.brokersKilled} times, ${soak.processesKilled} processes with ${soak.invocationsKilled} invocations in them`,
    `  sent again      ${soak.sendsRepeated} times, where the broker had not answered`,
    `  appended again  ${count(soak.appendedAgain)} of at most ${count(soak.appendedAgainMax)}, in the sink that promises no more`,
    `  took            ${soak.seconds} s`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
