/** What the scheduler does, as it does it, as server-sent events. https://html.spec.whatwg.org/multipage/server-sent-events.html */
import type { AppDeps } from '../../app-deps.ts';
import type { Listener } from '../../events.ts';
import { ApiError } from '../api-error.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import { SchedulerEvent } from './entities.ts';

/** What lies between often cuts a connection after 30 s or 60 s without a byte. */
const HEARTBEAT_EVERY_MS = 15_000;

export const eventRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/sortie/v1/events',
    role: 'read',
    summary: 'Invocations that start and end, and connectors that were changed, from now on',
    answers: { 200: { description: 'Server-sent events, each named by its event', events: SchedulerEvent } },
    run: listen,
  }),
];

async function listen({ scheduler }: AppDeps, { signal }: Call<unknown>): Promise<Answer> {
  const listener = scheduler.events.listen();
  if (listener === null) throw new ApiError(503, 'Too many listen already; try again later', { 'retry-after': '1' });
  if (signal.aborted) listener.close();
  else signal.addEventListener('abort', () => listener.close(), { once: true });
  const headers = { 'content-type': 'text/event-stream' };
  const first = eventText('listening', { event: 'listening', leads: scheduler.leads });
  return { status: 200, headers, stream: streamOf(listener, first) };
}

/** Whoever does not read is not written to: events wait in the listener, and when they are too many it ends. */
function streamOf(listener: Listener, first: string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(encoder.encode(first)),
      async pull(controller) {
        const next = await listener.next(HEARTBEAT_EVERY_MS);
        if (next === 'too-slow') controller.enqueue(encoder.encode(eventText('too-slow', { event: 'too-slow' })));
        if (next === 'closed' || next === 'too-slow') controller.close();
        // A comment, which nobody sees.
        else if (next === 'none') controller.enqueue(encoder.encode(':\n\n'));
        else controller.enqueue(encoder.encode(eventText(next.event, next)));
      },
      cancel: () => listener.close(),
    },
    { highWaterMark: 0 },
  );
}

function eventText(name: string, fields: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(fields)}\n\n`;
}
