/** The shell of this process. */
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import type { Shell, Terminal } from './shell.ts';

/** Where a terminal does not say. */
const COLUMNS = 80;
const ROWS = 24;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export function systemShell(): Shell {
  return {
    environment: process.env,
    write: (text) => void process.stdout.write(text),
    complain: (text) => void process.stderr.write(text),
    terminal: process.stdout.isTTY ? terminal() : null,
    nowMs: () => Date.now(),
    fetch: (url, init) => fetch(url, init),
    trust: (authority) => {
      const { getCACertificates, setDefaultCACertificates } = process.getBuiltinModule('node:tls');
      setDefaultCACertificates([...getCACertificates('default'), authority]);
    },
    onInterrupt: (end) => {
      for (const signal of SIGNALS) process.on(signal, end);
      return () => {
        for (const signal of SIGNALS) process.off(signal, end);
      };
    },
    sleep: async (ms, signal) => {
      await setTimeout(ms, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    },
  };
}

function terminal(): Terminal {
  return {
    columns: () => process.stdout.columns || COLUMNS,
    rows: () => process.stdout.rows || ROWS,
    hasColours: process.stdout.hasColors(),
  };
}
