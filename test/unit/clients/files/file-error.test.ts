import { describe, expect, test } from 'vitest';
import { fileError } from '../../../../clients/files/file-error.ts';
import { FencedError } from '../../../../core/errors.ts';

const ACTION = { path: '/data/orders', what: 'write parts in', code: 'target.unavailable' } as const;

describe('fileError', () => {
  test.each([
    ['ENOSPC', 'RetryableError', 'target.unavailable', 'free space on its disk'],
    ['EDQUOT', 'RetryableError', 'target.unavailable', 'raise the quota of this user'],
    ['ENOENT', 'RetryableError', 'target.unavailable', 'create it'],
    ['EIO', 'RetryableError', 'target.unavailable', 'check the disk'],
    ['EACCES', 'FatalTaskError', 'task.failed', 'give the user that runs this product access to it'],
    ['EROFS', 'FatalTaskError', 'task.failed', 'mount its file system for writing'],
    ['ENOTDIR', 'FatalTaskError', 'task.failed', 'name a path whose folders are folders'],
  ])('says of %s that it is a %s (%s), which path, and what to do', (errno, name, code, next) => {
    const error = fileError(Object.assign(new Error(`${errno}: refused`), { code: errno }), ACTION);

    expect(error).toMatchObject({ name, code, details: { path: '/data/orders', errno } });
    expect(error.message).toContain(`cannot write parts in /data/orders: ${errno}: refused; next: `);
    expect(error.message).toContain(next);
  });

  test('leaves errors of ours as they are', () => {
    const fenced = new FencedError('somebody else writes');

    expect(fileError(fenced, ACTION)).toBe(fenced);
  });
});
