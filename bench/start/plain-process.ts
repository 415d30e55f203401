/** What a start costs on this machine at the least: a process that starts a thread, which appends a line to the file that is named. */
import process from 'node:process';
import { Worker } from 'node:worker_threads';

const append = `
  const { appendFileSync } = require('node:fs');
  appendFileSync(require('node:worker_threads').workerData, 'line\\n');
`;
new Worker(append, { eval: true, workerData: process.argv[2] });
