import { missingDebianTools } from '../debian/debian-root.ts';
import { type Launcher, type Place, readOptions } from '../launcher.ts';
import { type DatabaseProgram, DatabaseServer } from './database-server.ts';

/** `releases`: what `--release` takes, the first one when it is absent. */
export function databaseLauncher<Release extends string>(
  releases: readonly Release[],
  programOf: (release: Release) => DatabaseProgram,
): Launcher {
  return {
    usage: releases.length === 1 ? '' : `[--release ${releases.join('|')}]`,
    missing: missingDebianTools,
    read(args) {
      const options = readOptions(args, { release: { type: 'string' } });
      const wanted = options?.release ?? releases[0];
      const release = releases.find((one) => one === wanted);
      return options === null || release === undefined ? null : (place) => launch(programOf(release), place);
    },
  };
}

async function launch(program: DatabaseProgram, place: Place): Promise<readonly string[]> {
  const { port } = await DatabaseServer.start(program, { ...place, isDetached: true });
  return [`127.0.0.1:${port}, user root, no password`];
}
