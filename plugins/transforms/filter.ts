import { z } from 'zod';
import { defineTransform } from '../api/transform.ts';

/** Drops every record it is given; a predicate chooses which. */
export const filter = defineTransform({
  name: 'filter',
  aliases: ['org.apache.kafka.connect.transforms.Filter', 'Filter'],
  config: z.object({}),
  create: () => () => null,
});
