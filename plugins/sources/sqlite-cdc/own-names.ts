/** Names of what a connector adds to its source; each connector has its own, so that several may capture one database. */
export interface OwnNames {
  readonly part: string;
  readonly changes: string;
  readonly captures: string;
  /** Rows that may be replaced by the statement at work. */
  readonly replaced: string;
  readonly triggerPrefix: string;
  trigger(capture: number, event: string): string;
  /** The capture that a trigger belongs to. */
  captureOf(trigger: string): number | undefined;
}

export function ownNames(connector: string): OwnNames {
  const triggerPrefix = `_sortie_${connector}:`;
  return {
    part: `changes:${connector}`,
    changes: `_sortie_changes:${connector}`,
    captures: `_sortie_captures:${connector}`,
    replaced: `_sortie_replaced:${connector}`,
    triggerPrefix,
    trigger: (capture, event) => `${triggerPrefix}${capture}:${event.toLowerCase()}`,
    captureOf(trigger) {
      if (!trigger.startsWith(triggerPrefix)) return undefined;
      const [, number] = /^(\d+):(?:before|after) (?:insert|update|delete)$/.exec(trigger.slice(triggerPrefix.length)) ?? [];
      return number === undefined ? undefined : Number(number);
    },
  };
}
