import { z } from 'zod';
import { RequestCode } from '../codes.ts';
import { type Command, successful } from '../command.ts';
import { parseLenientJson } from '../lenient-json.ts';

const groupList = z.object({ groupList: z.array(z.string()).optional() });

/** Asked of a broker: groups that read the topic, or once noted how far they had come. */
export function groupsOfTopic(topic: string): Command<readonly string[]> {
  return {
    what: `list the groups of topic ${topic}`,
    code: RequestCode.GET_GROUPS_OF_TOPIC,
    fields: { topic },
    isRepeatable: true,
    answer: (response) => groupList.parse(parseLenientJson(successful(response).body.toString())).groupList ?? [],
  };
}
