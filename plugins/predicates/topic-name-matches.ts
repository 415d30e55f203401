import type { RE2JS } from 're2js';
import { z } from 'zod';
import { textKey } from '../../core/config/keys.ts';
import { messageOf } from '../../core/errors.ts';
import { definePredicate } from '../api/predicate.ts';
import { compilePattern } from '../pattern.ts';

const Config = z.object({
  pattern: textKey()
    .transform(compiled)
    .describe('Regular expression for the whole topic name, in the syntax of RE2: Java without look-around and back-references.'),
});

function compiled(pattern: string, context: z.RefinementCtx): RE2JS {
  try {
    return compilePattern(pattern);
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
    return z.NEVER;
  }
}

/** Records of the topics whose whole name matches. */
export const topicNameMatches = definePredicate({
  name: 'topic-name-matches',
  aliases: ['org.apache.kafka.connect.transforms.predicates.TopicNameMatches', 'TopicNameMatches'],
  config: Config,
  create:
    ({ pattern }) =>
    ({ topic }) =>
      pattern.matches(topic),
});
