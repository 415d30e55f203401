export const invokerNames = ['in-process'] as const;

/** What invocations run in. */
export type InvokerName = (typeof invokerNames)[number];
