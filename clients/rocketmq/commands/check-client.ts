import { RequestCode, ResponseCode } from '../codes.ts';
import { type Command, successful } from '../command.ts';
import type { MessageFilter } from './pull-message.ts';

/**
 * Asked of a broker: whether it takes the access keys and the filter of whoever would read. It asks for no right. `null`, or why it
 * does not understand the filter. A proxy says yes to every filter.
 */
export function checkClient(group: string, { type, expression }: MessageFilter): Command<string | null> {
  const subscriptionData = { topic: 'sortie', subString: expression, expressionType: type };
  return {
    what: 'check the client',
    code: RequestCode.CHECK_CLIENT_CONFIG,
    fields: {},
    body: Buffer.from(JSON.stringify({ clientId: 'sortie', group, namespace: '', subscriptionData })),
    isRepeatable: true,
    answer(response) {
      const remark = response.remark ?? '';
      if (response.code === ResponseCode.SUBSCRIPTION_PARSE_FAILED) return firstLine(remark);
      if (response.code === ResponseCode.SYSTEM_ERROR && remark.includes(type))
        return `${firstLine(remark)} (\`enablePropertyFilter\`)`;
      successful(response);
      return null;
    },
  };
}

/** A parser goes on with all that it expected instead. */
function firstLine(remark: string): string {
  return (remark.split('\n')[0] ?? '').replace(/^[\w.]+(?:Exception|Error): /, '');
}
