import process from 'node:process';

/** `nobody`, nearly everywhere. */
const NOBODY = 65_534;

/** Runs something as a user to whom the rights of folders and files apply: to root they do not. */
export async function withoutPrivileges<T>(run: () => T | Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(NOBODY);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}
