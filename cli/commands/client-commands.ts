/** All commands that ask the API, in the order in which help shows them. */
import type { Command } from 'commander';
import type { Program } from '../client-command.ts';
import { addFileCommands } from './files.ts';
import { addInspectCommands } from './inspect.ts';
import { addLogCommands } from './log.ts';
import { addNewKeyCommand } from './new-key.ts';
import { addOffsetCommands } from './offsets.ts';
import { addPluginCommands } from './plugins.ts';
import { addRunCommands } from './runs.ts';
import { addStateCommands } from './states.ts';
import { addWatchCommand } from './watch.ts';
import { addWhyCommand } from './why.ts';

export function addClientCommands(sortie: Command, program: Program): void {
  addFileCommands(sortie, program);
  addInspectCommands(sortie, program);
  addWatchCommand(sortie, program);
  addWhyCommand(sortie, program);
  addRunCommands(sortie, program);
  addStateCommands(sortie, program);
  addOffsetCommands(sortie, program);
  addLogCommands(sortie, program);
  addPluginCommands(sortie, program);
  addNewKeyCommand(sortie, program);
}
