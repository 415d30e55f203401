/** Answers about the sink `orders`, as many situations have them. */
import { WORKER } from '../../support/api.ts';
import { error, ORDERS, type Situation, VAULT } from './situation.ts';

export const INFO = { name: 'orders', config: { ...ORDERS, name: 'orders' }, tasks: [], type: 'sink' };
export const TASK = { connector: 'orders', task: 0 };
export const INSTANCE = { worker_id: WORKER, version: '1.0.0' };
export const STATUS = {
  name: 'orders',
  connector: { state: 'RUNNING', ...INSTANCE },
  tasks: [{ id: 0, state: 'RUNNING', ...INSTANCE }],
  type: 'sink',
};

/** Of one that a newer version has stored. */
export const UNREADABLE = {
  name: 'orders',
  connector: {
    state: 'FAILED',
    worker_id: WORKER,
    trace:
      'store.document_newer: connector orders is stored in format 99, this version reads up to 1. Next: Upgrade this host to the version that wrote it.',
  },
  tasks: [],
  type: 'unknown',
};

/** As anybody may see it. */
export const VAULT_INFO = { name: 'vault', config: { ...VAULT, token: '[hidden]', name: 'vault' }, tasks: [], type: 'sink' };

const ALSO = 'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`';

/** A configuration with these faults. */
export function invalid(...faults: readonly string[]): Pick<Situation, 'status' | 'body'> {
  const count = `Connector configuration is invalid and contains the following ${faults.length} error(s):`;
  return error(400, [count, ...faults, ALSO].join('\n'));
}

export function created(name: string): Pick<Situation, 'status' | 'body' | 'headers'> {
  const info = { ...INFO, name, config: { ...ORDERS, name } };
  return { status: 201, body: info, headers: { location: `/connectors/${encodeURIComponent(name)}` } };
}
