import { RequestCode, ResponseCode } from '../codes.ts';
import type { Command } from '../command.ts';
import { successful } from '../command.ts';
import { parseRoute, type TopicRoute } from '../route.ts';

/** Asked of a NameServer, or of a proxy. `null`: no broker has told it of the topic. */
export function getRoute(topic: string): Command<TopicRoute | null> {
  return {
    what: `tell where topic ${topic} lies`,
    code: RequestCode.GET_ROUTE,
    fields: { topic, acceptStandardJsonOnly: 'true' },
    isRepeatable: true,
    answer: (response) => (response.code === ResponseCode.TOPIC_NOT_EXIST ? null : parseRoute(successful(response).body)),
  };
}
