/** The planner's reasons, in words for people. */
import type { LimitReason } from '../../../core/planner/allot.ts';
import type { DemandReason } from '../../../core/planner/demand.ts';
import type { ShardReason } from '../../planning.ts';

const REASONS: Readonly<Record<DemandReason, string>> = {
  paused: 'The connector is paused; resume it.',
  stopped: 'The connector is stopped; resume it.',
  deleted: 'The connector is being deleted.',
  failed: 'It has failed, and waits for a restart by an operator; the status says why.',
  'queue-gone': 'The queue is not there; it goes on should it be back.',
  done: 'All there ever was is moved; only a reset of its offsets starts it again.',
  'log-truncated': 'The log is not the one that was read before; reset its offsets.',
  'restart-later': 'It has failed, and restarts by itself later.',
  'backlog-unknown': 'Nobody has looked yet at what its queue holds.',
  drained: 'There is nothing to move.',
  collecting: 'The few records that wait are moved together, once the first is as old as freshness.ms allows.',
  'backing-off': 'It failed, and is tried again after a pause.',
  'not-yet': 'Its last invocations found nothing to do or got nowhere, so it is left alone for a moment.',
  'at-work': 'Invocations are at work on all there is.',
  'poll-later': 'The source asked to be polled later.',
  new: 'Its first invocation is due.',
  restart: 'It has failed, and an invocation restarts it now.',
  'log-changed': 'The log is not as it was; an invocation has a look.',
  'head-fails': 'What comes next failed before; one invocation tries it again.',
  'left-behind': 'Whoever followed it died; another invocation finishes what may be left of its work.',
  follow: 'Few records wait; an invocation moves them, and whatever comes meanwhile.',
  backlog: 'Records wait.',
  poll: 'The source is to be polled.',
};

export const TOPIC_MISSING =
  'There is no such topic, and it is read once there is: send it a first record, or correct topics in the configuration.';

const LIMITS: Readonly<Record<LimitReason, string>> = {
  'tasks.max': 'It gets no more at present: the connector has as many invocations as its tasks.max allows.',
  'back-pressure': 'It gets no more at present: the target showed that it bears no more.',
  'invocations.max': 'It gets no more at present: there are as many invocations as invocations.max allows.',
  ramp: 'It gets no more at present: no more may be started at once.',
  'no-free-slot': 'It gets no more at present: no host has a free slot.',
};

export function meaningOf({ reason, withheld, problem }: Pick<ShardReason, 'reason' | 'withheld' | 'problem'>): string {
  if (reason === null)
    return problem === null ? 'Nothing is known of it, or it is not read any more.' : 'It cannot be planned for.';
  return withheld === null ? REASONS[reason] : `${REASONS[reason]} ${LIMITS[withheld]}`;
}
