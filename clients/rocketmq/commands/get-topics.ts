import { z } from 'zod';
import { RequestCode } from '../codes.ts';
import { type Command, successful } from '../command.ts';
import { parseLenientJson } from '../lenient-json.ts';

const topicList = z.object({ topicList: z.array(z.string()).optional() });

/** Asked of a NameServer: every topic, those of the servers themselves included. */
export function getTopics(): Command<readonly string[]> {
  return listOf('list its topics', RequestCode.GET_TOPICS);
}

/** Asked of a NameServer: names of clusters and of brokers, which are topics too, and the topics of NameServers. */
export function getSystemTopics(): Command<readonly string[]> {
  return listOf('list its own topics', RequestCode.GET_SYSTEM_TOPICS);
}

function listOf(what: string, code: number): Command<readonly string[]> {
  return {
    what,
    code,
    fields: {},
    isRepeatable: true,
    answer: (response) => topicList.parse(parseLenientJson(successful(response).body.toString())).topicList ?? [],
  };
}
