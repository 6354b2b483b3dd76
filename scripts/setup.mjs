// Makes a clone ready to run: installs the locked dependencies (the pinned Node among them) when they are missing or
// not the ones of package-lock.json, and builds the dashboard when its sources have changed. Plain JavaScript without dependencies, since it runs on the Node of the host.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const OLDEST_HOST_NODE = 20;
/** An install that takes longer than this (ms) has been left behind by something that was killed. */
const INSTALL_LIMIT = 15 * 60_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const pinnedNode = join(modules, '.bin', 'node');
const lock = join(root, '.install-lock');

/** Something the person can put right: what happened, and the next step. */
class SetupError extends Error {
  constructor(what, next) {
    super(`${what}\n${next}`);
  }
}

async function setUp() {
  checkHost();
  if (!ready())
    await holdingLock(async () => {
      if (!ready()) await install(); // another set-up may have finished while we waited
    });
  await buildDashboard();
}

/** Does nothing when it is of these sources already. */
async function buildDashboard() {
  const script = join(root, 'scripts', 'build-web.ts');
  if (!existsSync(script)) return;
  const build = spawn(pinnedNode, [script], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise((resolve, reject) => build.once('error', reject).once('close', resolve));
  if (code !== 0)
    throw new SetupError(
      'the dashboard could not be built.',
      'See above; npx node scripts/build-web.ts tries it again.',
    );
}

/**
 * Whether exactly what the lockfile says is installed. npm keeps its own record of the tree it made, written last, so
 * an install by hand counts and one that was interrupted does not. Optional packages may be absent (those for other
 * machines are), but not the pinned Node.
 */
function ready() {
  const locked = packages(join(root, 'package-lock.json'));
  const installed = packages(join(modules, '.package-lock.json'));
  if (locked === undefined || installed === undefined || !existsSync(pinnedNode)) return false;
  const same = ([path, { version, integrity }]) =>
    locked[path]?.version === version && locked[path]?.integrity === integrity;
  const present = ([path, { optional }]) => path === '' || optional === true || installed[path] !== undefined;
  return Object.entries(installed).every(same) && Object.entries(locked).every(present);
}

function packages(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function checkHost() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < OLDEST_HOST_NODE) {
    throw new SetupError(
      `the Node on PATH is ${process.version}, too old to install anything.`,
      `Install Node ${OLDEST_HOST_NODE} or later; evenkeel then brings the version that it runs on itself.`,
    );
  }
  const wantedNode = `node-${process.platform}-${process.arch}`;
  const { optionalDependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (optionalDependencies[wantedNode] === undefined) {
    const known = Object.keys(optionalDependencies).map((name) => name.replace(/^node-/, ''));
    throw new SetupError(
      `there is no pinned Node for this machine (${process.platform}-${process.arch}).`,
      `evenkeel runs on ${known.join(' and ')}.`,
    );
  }
}

async function install() {
  const started = Date.now();
  console.error('evenkeel: installing the locked dependencies (once, about half a minute) ...');
  const { code, output } = await npmCi();
  if (code !== 0) throw explain(output, code);
  if (!existsSync(pinnedNode)) {
    throw new SetupError(
      'npm installed everything but the pinned Node.',
      'Check that npm is not told to omit optional packages (npm config get omit), then try again.',
    );
  }
  if (!ready())
    throw new SetupError('npm installed something else than package-lock.json says.', 'Try `npm ci` by hand.');
  console.error(`evenkeel: installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

function npmCi() {
  // npm may itself be running us: its settings for that run (such as silent) are not meant for the install.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !isNpmRunSetting(name)));
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Should we be killed, npm goes on for a while: the lock is held by whichever of us lives.
  writeFileSync(join(lock, 'pids'), `${process.pid} ${npm.pid ?? ''}`);
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    npm.once('error', (error) =>
      reject(new SetupError(`npm could not be started: ${error.message}.`, 'Install npm (it comes with Node).')),
    );
    npm.once('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

/** `npm_config_*` set by an outer `npm run` or by its options, but not the person's own registry, proxy or CA. */
function isNpmRunSetting(name) {
  return (
    /^npm_(lifecycle|package|command|execpath|node_execpath)/.test(name) ||
    /^npm_config_(loglevel|omit|include|only|production|json|yes)$/.test(name) ||
    name === 'INIT_CWD'
  );
}

function explain(output, code) {
  const errors = output
    .split('\n')
    .filter((line) => /^npm (error|ERR!) \S/.test(line) && !line.includes('complete log'));
  const said = errors.slice(0, 8).join('\n');
  if (/\bcode EUSAGE\b/.test(output)) {
    return new SetupError(
      `package-lock.json does not fit package.json.\n${said}`,
      'After a change of dependencies: npm install && node scripts/complete-lock.mjs',
    );
  }
  if (/\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|E50\d)\b/.test(output)) {
    return new SetupError(
      `the npm registry could not be reached.\n${said}`,
      'Check the network, the proxy settings and `npm config get registry`, then try again.',
    );
  }
  if (/\bENOSPC\b/.test(output)) return new SetupError(`the disk is full.\n${said}`, `Free some space for ${modules}.`);
  if (/\b(EACCES|EPERM|EROFS)\b/.test(output)) {
    return new SetupError(
      `npm may not write here.\n${said}`,
      `Check who owns ${root} and the npm cache (${join(homedir(), '.npm')}).`,
    );
  }
  return new SetupError(`npm ci failed (${code}).\n${said}`, 'Try `npm ci` by hand to see all of it.');
}

/** Runs `work` while no other set-up of this clone does; a lock whose owner died is taken over. */
async function holdingLock(work) {
  let told = false;
  while (!takeLock()) {
    if (!told) console.error('evenkeel: waiting for another set-up of this clone to finish ...');
    told = true;
    await sleep(200);
  }
  try {
    await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function takeLock() {
  try {
    mkdirSync(lock);
  } catch (error) {
    if (error.code !== 'EEXIST') {
      throw new SetupError(`cannot write in ${root} (${error.code}).`, 'Use a clone in a folder of your own.');
    }
    breakStaleLock();
    return false;
  }
  writeFileSync(join(lock, 'pids'), `${process.pid}`);
  return true;
}

function breakStaleLock() {
  try {
    const age = Date.now() - statSync(lock).mtimeMs;
    const holders = (read(join(lock, 'pids')) ?? '').split(' ').map(Number).filter(Boolean);
    // A moment without a holder is normal: the folder comes first.
    const abandoned = holders.length > 0 ? !holders.some(alive) : age > 5_000;
    if (!abandoned && age < INSTALL_LIMIT) return;
    // Renamed first, so that of several waiting set-ups only one removes it.
    const aside = `${lock}.${randomUUID()}`;
    renameSync(lock, aside);
    rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

try {
  await setUp();
} catch (error) {
  console.error(`evenkeel: ${error instanceof SetupError ? error.message : (error.stack ?? error)}`);
  process.exitCode = 1;
}
