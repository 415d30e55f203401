/** What must hold of 200,000 records while a real RocketMQ and those who read it are killed. */
import { describe, expect, test } from 'vitest';
import { isPassed, soakBroker } from '../../demo/soak/broker/broker-soak.ts';
import { START_TIMEOUT_MS, withRealServers } from '../support/rocketmq-cluster.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const RECORDS = 200_000;

withRealServers('RocketMQ, soak', () => {
  describe('sortie start', () => {
    test(
      'loses and doubles nothing while broker and invocations are killed, and repeats nothing after a clean stop',
      async () => {
        const say = (text: string): void => void process.stderr.write(`${text}\n`);

        const soak = await soakBroker({ folder: aTemporaryFolder(), records: RECORDS, say });

        say(JSON.stringify(soak));
        expect(soak).toMatchObject({ brokersKilled: 3, lost: 0, duplicated: 0, outOfOrder: 0, againAfterStop: 0, examples: [] });
        expect(soak.records).toBeGreaterThanOrEqual(RECORDS);
        expect(soak.invocationsKilled).toBeGreaterThan(0);
        expect(soak.appendedAgain).toBeLessThanOrEqual(soak.appendedAgainMax);
        expect(isPassed(soak)).toBe(true);
      },
      START_TIMEOUT_MS,
    );
  });
});
