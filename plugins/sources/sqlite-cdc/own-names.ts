/**
 * Names of what a connector adds to its source. Each has its own, so that several may capture one database: the connector's name
 * is for people, its uid tells it from others of that name, in another installation or before it was deleted and created again.
 */
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

interface Owner {
  readonly connector: string;
  /** `null`: the set that all connectors of one name had together, which checkpoints of version 1 are about. */
  readonly uid: string | null;
}

export function ownNames({ connector, uid }: Owner): OwnNames {
  const owner = uid === null ? connector : `${connector}:${uid}`;
  const triggerPrefix = `_sortie_${owner}:`;
  return {
    part: `changes:${owner}`,
    changes: `_sortie_changes:${owner}`,
    captures: `_sortie_captures:${owner}`,
    replaced: `_sortie_replaced:${owner}`,
    triggerPrefix,
    trigger: (capture, event) => `${triggerPrefix}${capture}:${event.toLowerCase()}`,
    captureOf(trigger) {
      if (!trigger.startsWith(triggerPrefix)) return undefined;
      const [, number] = /^(\d+):(?:before|after) (?:insert|update|delete)$/.exec(trigger.slice(triggerPrefix.length)) ?? [];
      return number === undefined ? undefined : Number(number);
    },
  };
}
