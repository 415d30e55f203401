/**
 * Who may reach the API. Without keys nobody has to say who he is, so that only this machine may ask; any other address needs keys. A
 * password goes the way that nobody between can read: TLS, or from this machine to itself.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { messageOf } from '../../core/errors.ts';
import type { Access } from '../../scheduler/app.ts';
import { CliError } from '../cli-error.ts';
import { MAKE_ONE, readKeyFile } from '../key-file.ts';
import type { WorkerSettings } from '../worker-settings.ts';

export interface Tls {
  readonly cert: string;
  readonly key: string;
}

interface ApiAccess {
  readonly access: Access;
  /** `null`: plain HTTP. */
  readonly tls: Tls | null;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** @throws {CliError} where anybody could reach it, or what is named cannot be used. */
export function apiAccess(worker: WorkerSettings): ApiAccess {
  const { host } = worker;
  const isLoopback = LOOPBACK.test(host);
  const file = worker['keys.file'];
  if (!isLoopback && file === '') {
    const next = `name a file of API keys with --keys-file, or listen on 127.0.0.1; ${MAKE_ONE}`;
    throw new CliError(`host ${host} can be reached from elsewhere, and without keys anybody could do everything`, {
      exitCode: 2,
      next,
    });
  }
  const tls = readTls(worker['tls.certificate'], worker['tls.key']);
  return { access: { keys: file === '' ? [] : readKeyFile(file), takesBasic: isLoopback || tls !== null }, tls };
}

function readTls(certificate: string, privateKey: string): Tls | null {
  if (certificate === '' && privateKey === '') return null;
  if (certificate === '' || privateKey === '') {
    throw new CliError('TLS needs both a certificate and its key', { exitCode: 2, next: 'give --tls-certificate and --tls-key' });
  }
  try {
    const tls = { cert: readFileSync(certificate, 'utf8'), key: readFileSync(privateKey, 'utf8') };
    // Loaded by whoever uses it.
    process.getBuiltinModule('node:tls').createSecureContext(tls);
    return tls;
  } catch (error) {
    throw new CliError(`${certificate} and ${privateKey} cannot be used for TLS: ${messageOf(error)}`, {
      exitCode: 2,
      next: 'name a certificate (with those between it and the authority) and its key, both as PEM without a password',
    });
  }
}
