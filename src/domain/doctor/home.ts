import { formatBytes, formatPercent } from '../../lib/format.ts';
import type { HomeFacts, Place } from './facts.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const KEY_BYTES = 32;

export function homeFindings(home: HomeFacts): Finding[] {
  const folder = home.places.find(({ role }) => role === 'home');
  if (folder === undefined || folder.kind === 'absent')
    return [ok('home', `${home.path} is not there yet; the first \`evenkeel up\` makes it`), ...diskFindings(home)];
  const own = placeFindings(folder, home);
  // In a home that is somebody else's everything is wrong in the same way.
  const inside = own.length > 0 && folder.uid !== home.uid ? [] : home.places.filter((place) => place !== folder);
  const permissions = [...own, ...inside.flatMap((place) => placeFindings(place, home))];
  return [
    ...(permissions.length > 0
      ? permissions
      : [ok('permissions', `${home.path}, its sockets, tokens and the key of the secrets are for their owner alone`)]),
    ...secretFindings(home),
    ...diskFindings(home),
    ...fileFindings(home),
  ];
}

const FOLDERS = new Set(['home', 'sockets', 'certificates']);

function placeFindings({ role, path, kind, uid, mode, writable }: Place, home: HomeFacts): Finding[] {
  const say = (what: string, next: string): Finding[] => [problem('permissions', what, next)];
  if (kind === 'absent') return [];
  if (kind === 'unreadable')
    return say(`${path} (${role}) may not be looked at`, `run this as the owner of ${home.path}`);
  const expected = FOLDERS.has(role) ? 'folder' : 'file';
  if (kind !== expected) return say(`${path} (${role}) is not a ${expected}`, `move it away: mv ${path} ${path}.aside`);
  if (home.uid !== null && uid !== home.uid)
    return say(
      `${path} (${role}) belongs to user ${uid}, and this is user ${home.uid}`,
      `chown -R ${home.uid} ${path}, or run evenkeel as its owner`,
    );
  if ((mode & 0o077) !== 0) {
    const shown = (mode & 0o777).toString(8);
    if (role === 'token' || role === 'probe token')
      return say(
        `${path} (${role}) is open to other users (mode ${shown})`,
        `rm ${path} && evenkeel server restart: a new one is made`,
      );
    if (role === 'key of the secrets')
      return say(
        `${path} (${role}) is open to other users (mode ${shown})`,
        `chmod 600 ${path}, and set the secrets anew if somebody may have seen it`,
      );
    return say(
      `${path} (${role}) is open to other users (mode ${shown})`,
      `chmod ${expected === 'folder' ? '700' : '600'} ${path}`,
    );
  }
  if (!writable)
    return say(
      `${path} (${role}) cannot be written`,
      `chmod u+w ${path}; or the disk is mounted read-only: mount | grep ro,`,
    );
  return [];
}

function secretFindings({ places, keyInHome }: HomeFacts): Finding[] {
  const secrets = places.find(({ role }) => role === 'secrets');
  const key = places.find(({ role }) => role === 'key of the secrets');
  if (secrets === undefined || key === undefined || secrets.kind !== 'file') return [];
  const restore = 'put it back from a backup, or remove the secrets and set them anew';
  if (key.kind === 'absent') return [problem('secrets', `the key ${key.path} is gone: no secret can be read`, restore)];
  if (key.kind === 'file' && key.size !== KEY_BYTES)
    return [
      problem(
        'secrets',
        `${key.path} has ${key.size} bytes, and a key has ${KEY_BYTES}: no secret can be read`,
        restore,
      ),
    ];
  if (keyInHome)
    return [
      warning(
        'secrets',
        `the key ${key.path} lies in the home: a copy of that gives the secrets away`,
        'move it, and name its place in EVENKEEL_SECRETS_KEY_FILE',
      ),
    ];
  return [ok('secrets', 'the secrets have their key')];
}

function diskFindings({ disk, reserve, path }: HomeFacts): Finding[] {
  const free = `delete what is not needed near ${path}: old logs, other programs' files; then \`evenkeel doctor\` again`;
  if (disk === null) return [warning('disk', 'how full the disk is cannot be asked', `df -h ${path}`)];
  const { free: bytes, total, freeInodes, inodes } = disk;
  const said = `${formatBytes(bytes)} of ${formatBytes(total)} are free`;
  const found: Finding[] = [];
  if (bytes < 100 * MIB) found.push(problem('disk', `only ${said}: nothing can be built or recorded soon`, free));
  else if (bytes < GIB) found.push(warning('disk', `only ${said}`, free));
  // Some file systems have no number of files, and say 0.
  if (inodes > 0 && freeInodes < 1_000)
    found.push(problem('disk', `only ${freeInodes} more files can be made, though ${said}`, free));
  else if (inodes > 0 && freeInodes / inodes < 0.03)
    found.push(warning('disk', `only ${formatPercent((100 * freeInodes) / inodes)} of the files are left`, free));
  if (reserve === false)
    found.push(
      warning(
        'disk',
        'the room that is kept for a full disk was used up: nothing new is begun',
        `${free}; it is taken again by itself`,
      ),
    );
  return found.length > 0
    ? found
    : [ok('disk', inodes > 0 ? `${said}, and ${formatPercent((100 * freeInodes) / inodes)} of the files` : said)];
}

function fileFindings({ torn, storeIsDatabase, places }: HomeFacts): Finding[] {
  const store = places.find(({ role }) => role === 'store')?.path ?? 'the store';
  const secrets = places.find(({ role }) => role === 'secrets')?.path;
  const found = torn.map((path) =>
    path === secrets
      ? problem(
          'secrets',
          `${path} is damaged: no secret can be read`,
          'put it back from a backup, or move it aside and set the secrets anew',
        )
      : warning(
          'files',
          `${path} is damaged`,
          'a running server writes it anew: evenkeel server stop, then evenkeel up',
        ),
  );
  if (storeIsDatabase === false)
    found.push(
      problem(
        'store',
        `${store} is damaged: it does not begin as a database does`,
        `evenkeel server stop, move ${store} (and its -wal and -shm) aside, and put it back from a backup; what serves goes on serving`,
      ),
    );
  return found;
}
