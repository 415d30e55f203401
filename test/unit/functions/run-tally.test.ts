import { describe, expect, test } from 'vitest';
import { shardId } from '../../../core/shard-id.ts';
import { RunTally } from '../../../functions/run-tally.ts';
import { aHost, anOffer } from '../../support/hosts.ts';

describe('RunTally', () => {
  test('keeps the beginning of what an error says, in one line', () => {
    const tally = new RunTally(aHost(), anOffer({ name: 'orders', uid: 'uid' }, shardId('uid', ['discovery'])), 'offer/me');

    tally.failed('put', new Error(`line\r\n\tof\u0000${'x'.repeat(300_000)}`), 'y'.repeat(16_000));

    const { error } = tally.record('failed');
    expect(error?.message).toMatch(/^line of x+$/u);
    expect([error?.message.length, error?.position?.length]).toEqual([998, 1_000]);
  });
});
