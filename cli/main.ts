/** `sortie`: the command line as a process. */
import process from 'node:process';
import { runCommandLine } from './command-line.ts';
import { systemShell } from './system-shell.ts';

process.exitCode = await runCommandLine(process.argv.slice(2), systemShell());
