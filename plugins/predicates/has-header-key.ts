import { z } from 'zod';
import { textKey } from '../../core/config/keys.ts';
import { definePredicate } from '../api/predicate.ts';

const Config = z.object({ name: textKey().describe('Name of the header.') });

/** Records that have at least one header of the name. */
export const hasHeaderKey = definePredicate({
  name: 'has-header-key',
  aliases: ['org.apache.kafka.connect.transforms.predicates.HasHeaderKey', 'HasHeaderKey'],
  config: Config,
  create:
    ({ name }) =>
    ({ headers }) =>
      headers.some((header) => header.name === name),
});
