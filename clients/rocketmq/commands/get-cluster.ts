import { RequestCode } from '../codes.ts';
import { type Command, successful } from '../command.ts';
import { type BrokerAddress, parseCluster } from '../route.ts';

/** Asked of a NameServer: its brokers that can be written to. */
export function getCluster(): Command<readonly BrokerAddress[]> {
  return {
    what: 'list its brokers',
    code: RequestCode.GET_CLUSTER,
    fields: {},
    isRepeatable: true,
    answer: (response) => parseCluster(successful(response).body),
  };
}
