/**
 * Programs of Debian without installing them: a package and all it needs, libc included, unpacked into one folder. Programs there
 * run by the loader of that folder, so neither root nor a container is needed, and the machine's own packages stay as they are.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../command.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Where this machine's apt knows none. */
const DEFAULT_MIRROR = 'http://deb.debian.org/debian/';

/** Which of them is missing, and how it is had; `null` when none is. */
export function missingDebianTools(): string | null {
  const missing = ['apt-get', 'dpkg-deb', 'tar', 'bash'].filter(
    (tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).error !== undefined,
  );
  if (missing.length > 0) return `${missing.join(', ')} cannot be started; the real databases are packages of Debian`;
  return existsSync(KEYRING) ? null : `${KEYRING} is missing; apt-get install debian-archive-keyring`;
}

/** @throws {Error} with apt's own words when it cannot have them. */
export async function unpackDebian(
  root: string,
  { suite, packages }: { readonly suite: string; readonly packages: readonly string[] },
): Promise<void> {
  const state = join(root, 'apt');
  const archives = join(state, 'cache', 'archives');
  for (const folder of [join(state, 'lists', 'partial'), join(archives, 'partial')]) mkdirSync(folder, { recursive: true });
  // Nothing counts as installed, so that everything that is needed is fetched.
  writeFileSync(join(state, 'status'), '');
  const sources = join(state, 'sources.list');
  writeFileSync(sources, `deb [signed-by=${KEYRING}] ${debianMirror()} ${suite} main\n`);
  const options = {
    'Dir::State::lists': join(state, 'lists'),
    'Dir::Cache': join(state, 'cache'),
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::status': join(state, 'status'),
    'APT::Install-Recommends': '0',
    'APT::Sandbox::User': 'root',
  };
  const apt = ['-qq', ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
  await runCommand('apt-get', [...apt, 'update']);
  await runCommand('apt-get', [...apt, '-y', '--download-only', 'install', ...packages]);
  linkOldFolders(root);
  // One after the other: they write into the same folders.
  for (const archive of readdirSync(archives).filter((name) => name.endsWith('.deb')))
    await unpack(join(archives, archive), root);
  rmSync(state, { recursive: true });
}

/** What runs a program of a root, before its path. */
export function loaderOf(root: string): readonly [command: string, ...args: string[]] {
  const libraries = readdirSync(join(root, 'usr/lib')).find((name) => name.endsWith('-linux-gnu'));
  const folder = join(root, 'usr/lib', libraries ?? '');
  const loader = readdirSync(folder).find((name) => /^ld-linux-.*\.so\.\d+$/.test(name));
  return [join(folder, loader ?? ''), '--library-path', folder];
}

function debianMirror(): string {
  const mirrors = execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'], {
    encoding: 'utf8',
  });
  return mirrors.split('\n').find((mirror) => /\/debian\/*$/.test(mirror)) ?? DEFAULT_MIRROR;
}

/** Older packages still have files there. */
function linkOldFolders(root: string): void {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(root, 'usr', name), { recursive: true });
    symlinkSync(join('usr', name), join(root, name));
  }
}

/** Not by `dpkg-deb -x`, which would put folders in the place of the links. */
function unpack(archive: string, root: string): Promise<void> {
  const script =
    'set -o pipefail; dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --no-same-owner --keep-directory-symlink --exclude=./usr/share/doc';
  return runCommand('bash', ['-c', script, 'unpack', archive, root]);
}
