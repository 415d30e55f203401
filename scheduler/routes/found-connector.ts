/** The connector that a path names. */
import { type Connector, readConnector } from '../../core/connector.ts';
import { ConfigError } from '../../core/errors.ts';
import type { AppDeps } from '../app-deps.ts';
import { type ConnectorView, viewConnector } from '../connector-view.ts';
import { ApiError } from './api-error.ts';

/** Kafka Connect has several ways to say that there is none, and clients know them. */
export type Missing = (name: string) => string;

export const connectorNotFound: Missing = (name) => `Connector ${name} not found`;

/** @throws {ApiError} 404, `missing`; 500 when its document cannot be read. */
export async function foundConnector(deps: AppDeps, name: string, missing = connectorNotFound): Promise<Connector> {
  const connector = await readConnector(deps, name);
  if (connector === null) throw new ApiError(404, missing(name));
  return connector;
}

/** @throws {ApiError} 404, `missing`; 500 when its document cannot be read. */
export async function foundView(deps: AppDeps, name: string, missing = connectorNotFound): Promise<ConnectorView> {
  const view = await viewConnector(deps, name);
  if (view === null) throw new ApiError(404, missing(name));
  if (!('connector' in view)) throw new ApiError(500, view.status.connector.trace ?? '');
  return view;
}

/** What is done to a connector that is not there, or not any more, says so. */
export async function unlessMissing<T>(name: string, missing: Missing, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'connector.not_found') throw new ApiError(404, missing(name));
    throw error;
  }
}
