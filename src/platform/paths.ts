import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync, type Stats } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { EvenkeelError } from '../ports/errors.ts';

/** The kernel's limit for the path of a Unix socket is 108 bytes with the ending zero. */
const SOCKET_PATH_LIMIT = 107;
/** The name it has while it is made (see listen-handle.ts). */
const LONGEST_SOCKET_NAME = 'controller.sock.new';

/** Absolute paths of everything that evenkeel keeps on a machine. */
export interface EvenkeelPaths {
  home: string;
  /** Sockets; within `home`, or a short folder elsewhere when `home` is too deep for the path of a socket. */
  run: string;
  controllerSocket: string;
  edgeSocket: string;
  keeperLock: string;
  controllerLock: string;
  /** The highest fence of a controller that acted here; see app/fence-file.ts. */
  fence: string;
  /** What people asked for while the store was away, and what it said last; see app/emergency-files.ts. */
  unwritten: string;
  lastKnown: string;
  /** The end of the audit as it was written last, and what waits to be put into it; see app/audit-files.ts. */
  auditAnchor: string;
  unwrittenAudit: string;
  /** Who the keeper is, JSON; see platform/keeper-info.ts. */
  keeperInfo: string;
  /** The ports the keeper holds. */
  keeperPorts: string;
  /** Where the dashboard was found last. */
  dashboardPort: string;
  store: string;
  /** Remembers that the state lies in a Postgres database; see app/open-store.ts. */
  storeElsewhere: string;
  telemetry: string;
  edgeDir: string;
  artifacts: string;
  instances: string;
  jobs: string;
  logs: string;
  cache: string;
  /** What services keep in their `data` folders. */
  projects: string;
  /** What a client of the API must present. */
  token: string;
  probeToken: string;
  /** What evenkeel got from issuers of certificates, and its accounts with them. */
  certificates: string;
  secretsFile: string;
  /** Where people and programs prove who they are elsewhere; written by whoever runs the server. */
  signIn: string;
  /** Lies outside `home`, so that a copy of `home` alone does not give the secrets away. */
  secretsKey: string;
}

/** Where things lie for this environment. Touches nothing; `prepareHome` makes the folders. */
export function evenkeelPaths(env: NodeJS.ProcessEnv): EvenkeelPaths {
  const home = homeFolder(env);
  const run = runFolder(home);
  return {
    home,
    run,
    controllerSocket: join(run, 'controller.sock'),
    edgeSocket: join(run, 'edge.sock'),
    keeperLock: join(home, 'keeper.lock'),
    controllerLock: join(home, 'controller.lock'),
    fence: join(home, 'controller-fence'),
    unwritten: join(home, 'unwritten-requests.json'),
    lastKnown: join(home, 'last-known.json'),
    auditAnchor: join(home, 'audit-anchor.json'),
    unwrittenAudit: join(home, 'unwritten-audit.ndjson'),
    keeperInfo: join(home, 'keeper.json'),
    keeperPorts: join(home, 'keeper-ports.json'),
    dashboardPort: join(home, 'dashboard-port.json'),
    store: join(home, 'store.db'),
    storeElsewhere: join(home, 'store-elsewhere.json'),
    telemetry: join(home, 'telemetry.db'),
    edgeDir: join(home, 'edge'),
    artifacts: join(home, 'artifacts'),
    instances: join(home, 'instances'),
    jobs: join(home, 'jobs'),
    logs: join(home, 'logs'),
    cache: join(home, 'cache'),
    projects: join(home, 'projects'),
    token: join(home, 'token'),
    probeToken: join(home, 'probe-token'),
    certificates: join(home, 'certificates'),
    secretsFile: join(home, 'secrets.json'),
    signIn: resolve(set(env['EVENKEEL_SIGN_IN']) ?? join(home, 'sign-in.yaml')),
    secretsKey: secretsKey(env),
  };
}

/**
 * Makes the home and its folders for their owner alone, or checks them. Idempotent.
 * Throws `home-unusable` when it cannot be written, belongs to somebody else or is open to others.
 */
export function prepareHome(paths: EvenkeelPaths): void {
  ensurePrivateFolder(paths.home);
  ensurePrivateFolder(paths.run);
  const { edgeDir, artifacts, instances, jobs, logs, cache, projects } = paths;
  for (const folder of [edgeDir, artifacts, instances, jobs, logs, cache, projects]) makeFolder(folder);
}

/** Makes a folder that only its owner may enter, or checks that it is one. Throws `home-unusable`. */
export function ensurePrivateFolder(path: string): void {
  makeFolder(path);
  const stats = lstatSync(path);
  if (!stats.isDirectory()) throw unusable(path, 'it is not a folder', `Remove ${path}, or set EVENKEEL_HOME.`);
  const uid = process.getuid?.();
  if (uid !== undefined && stats.uid !== uid) {
    throw unusable(
      path,
      `it belongs to user ${stats.uid}, and this is user ${uid}`,
      'Run as its owner, or set EVENKEEL_HOME to a folder of your own.',
    );
  }
  if (openToOthers(stats)) closeToOthers(path);
  // `mkdir` on an existing folder succeeds whatever its mode; a folder nobody may write shows here, not in a crash later.
  if ((stats.mode & 0o200) === 0) throw unusable(path, 'it cannot be written', `chmod 700 ${path}`);
}

function closeToOthers(path: string): void {
  // An empty folder was made for us. One with contents may be something else entirely, and its mode meant.
  if (readdirSync(path).length > 0) throw unusable(path, 'other users may enter it', `chmod 700 ${path}`);
  chmodSync(path, 0o700);
}

function makeFolder(path: string): void {
  try {
    makeWithParents(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw unusable(path, 'it is not a folder', `Remove ${path}, or set EVENKEEL_HOME.`);
    throw unusable(path, `it cannot be made (${code})`, 'Set EVENKEEL_HOME to a folder that you may write.', cause);
  }
}

/** Node's own `recursive` never returns where the parent is there and yet lets nobody make a folder (`/proc`, some mounts). */
function makeWithParents(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(path);
    if (code === 'ENOENT' && parent !== path && !isFolder(parent)) {
      makeWithParents(parent);
      makeWithParents(path);
    } else if (code !== 'EEXIST' || !isFolder(path)) throw error;
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function unusable(path: string, why: string, next: string, cause?: unknown): EvenkeelError {
  return new EvenkeelError({
    code: 'home-unusable',
    what: 'The folder in which evenkeel keeps its state cannot be used.',
    where: path,
    why,
    next,
    cause,
  });
}

const openToOthers = (stats: Stats): boolean => (stats.mode & 0o077) !== 0;

function homeFolder(env: NodeJS.ProcessEnv): string {
  const named = set(env['EVENKEEL_HOME']);
  if (named !== null) return resolve(named);
  const state = absolute(env['XDG_STATE_HOME']) ?? join(userHome(env), '.local', 'state');
  return join(state, 'evenkeel');
}

/**
 * A folder for sockets. The short one depends on nothing but the home: a keeper started by a service manager and a person
 * at a terminal have different XDG_RUNTIME_DIR and TMPDIR, and must meet; the former also vanishes when people log out.
 */
function runFolder(home: string): string {
  const inside = join(home, 'run');
  if (Buffer.byteLength(join(inside, LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT) return inside;
  const hash = createHash('sha256').update(home).digest('hex').slice(0, 16);
  return join('/tmp', `evenkeel-${process.getuid?.() ?? 'user'}-${hash}`);
}

function secretsKey(env: NodeJS.ProcessEnv): string {
  const named = set(env['EVENKEEL_SECRETS_KEY_FILE']);
  if (named !== null) return resolve(named);
  return join(absolute(env['XDG_CONFIG_HOME']) ?? join(userHome(env), '.config'), 'evenkeel', 'secrets.key');
}

const userHome = (env: NodeJS.ProcessEnv): string => absolute(env['HOME']) ?? homedir();

const set = (value: string | undefined): string | null => (value === undefined || value === '' ? null : value);

/** The XDG rules say that relative values are to be ignored. */
function absolute(value: string | undefined): string | null {
  const path = set(value);
  return path !== null && isAbsolute(path) ? path : null;
}
