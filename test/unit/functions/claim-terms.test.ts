import { describe, expect, test } from 'vitest';
import { parseConnectorConfig } from '../../../core/config/connector-config.ts';
import { shardId } from '../../../core/shard-id.ts';
import { claimTerms } from '../../../functions/claim-terms.ts';
import { anOffer } from '../../support/hosts.ts';

const { runtime } = parseConnectorConfig({ 'connector.class': 'any' });
const ANSWERED = { owner: 'offer/a.1', epoch: 1, isGone: false };
const GONE = { owner: 'offer/b.1', epoch: 2, isGone: true };
const offer = anOffer({ name: 'rows', uid: 'uid' }, shardId('uid', ['source', 'rows']), { ended: [ANSWERED, GONE] });

describe('claimTerms', () => {
  test('takes over at once from whoever was seen to end', () => {
    const terms = claimTerms('append', runtime, { skewMaxMs: 5_000, offer, looksBack: false });

    expect(terms).toMatchObject({ graceMs: 5_000, ended: [ANSWERED, GONE] });
  });

  test('of an exactly-once source, only from who is gone: what lives on may have a send under way', () => {
    const terms = claimTerms('append', runtime, { skewMaxMs: 5_000, offer, looksBack: true });

    expect(terms.ended).toEqual([GONE]);
  });

  test('waits for a put that may still land in a target that is overwritten, whoever is gone', () => {
    const terms = claimTerms('overwrite', runtime, { skewMaxMs: 5_000, offer, looksBack: false });

    expect(terms).toMatchObject({ graceMs: 15_000, ended: [] });
  });
});
