import { describe, expect, test } from 'vitest';
import { signed } from '../../../../clients/rocketmq/signature.ts';

const pull = {
  consumerGroup: 'g',
  topic: 'T',
  queueId: '0',
  queueOffset: '5',
  maxMsgNums: '32',
  sysFlag: '4',
  commitOffset: '0',
  suspendTimeoutMillis: '0',
  subscription: '*',
  subVersion: '0',
  expressionType: 'TAG',
};

describe('signed', () => {
  test('signs as the Java classes do', () => {
    const fields = signed(pull, undefined, { accessKey: 'ak', secretKey: 'sk' });

    expect(fields).toEqual({ ...pull, AccessKey: 'ak', Signature: 'u6BgsuCp8KJpMlDbdFG+pStEJug=' });
  });

  test('signs a lent key and the body too', () => {
    const fields = signed(pull, Buffer.from('BODY'), { accessKey: 'ak', secretKey: 'sk', securityToken: 'tok' });

    expect(fields).toMatchObject({ SecurityToken: 'tok', Signature: 'vXvRSdDrJHLMRxsDHOlnZeJJbkA=' });
  });
});
