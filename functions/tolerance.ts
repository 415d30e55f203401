/** What happens to refused records with `errors.tolerance=all`: dead-lettered, or dropped where there is no topic for them. */
import type { RuntimeConfig } from '../core/config/connector-config.ts';
import { type DeadLetters, type DeadLetterTopic, deadLetter } from './dead-letter.ts';
import type { Invocation } from './invocation.ts';
import type { Refusal } from './pipeline.ts';

export interface Tolerance {
  /** `none`: the shard fails at the first refused record. */
  readonly tolerates: 'none' | 'all';
  readonly logs: boolean;
  readonly deadLetters: DeadLetterTopic | null;
}

/** Dead-letter topics belong to sinks, as in Kafka Connect: a source's record that cannot be written has no bytes yet. */
export function toleranceOf(
  runtime: RuntimeConfig,
  { connector, isSink }: { readonly connector: string; readonly isSink: boolean },
): Tolerance {
  const topic = runtime['errors.deadletterqueue.topic.name'];
  const contextHeaders = runtime['errors.deadletterqueue.context.headers.enable'];
  return {
    tolerates: runtime['errors.tolerance'],
    logs: runtime['errors.log.enable'],
    deadLetters: topic === undefined || !isSink ? null : { topic, contextHeaders, connector },
  };
}

/** Resolves when every refused record is finished: durable in the dead-letter topic, or dropped and counted (I5, I10). */
export async function tolerate(
  { host, connector, tally }: Invocation,
  tolerance: Tolerance,
  { describe, ...letters }: DeadLetters & { readonly describe: (refusal: Refusal) => string },
): Promise<void> {
  const { deadLetters } = tolerance;
  const { identity, refusals } = letters;
  if (deadLetters !== null) {
    tally.stage = 'deadLetter';
    try {
      await deadLetter(host, deadLetters, letters);
    } catch (error) {
      tally.counts.deadLettersFailed += refusals.length;
      throw error;
    }
    tally.counts.deadLettered += refusals.length;
  } else {
    tally.counts.dropped += refusals.length;
  }
  // A record that is dropped without a trace elsewhere is always logged.
  if (!tolerance.logs && deadLetters !== null) return;
  tally.counts.errorsLogged += refusals.length;
  for (const refusal of refusals) {
    const { stage, error } = refusal;
    const { shard, epoch } = identity;
    const fields = { connector: connector.name, shard, epoch, position: describe(refusal), stage, code: error.code };
    const message = host.sandbox.redaction.text(error.message);
    host.telemetry.log('warn', `${deadLetters === null ? 'dropped' : 'dead-lettered'}: ${message}`, fields);
  }
}
