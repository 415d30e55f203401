/** What invocations run in: worker threads of this process, child processes, or this process itself. */
export const invokerNames = ['threads', 'processes', 'in-process'] as const;

export type InvokerName = (typeof invokerNames)[number];
