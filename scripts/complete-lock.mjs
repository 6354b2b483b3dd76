// Adds to package-lock.json the optional packages of other machines that npm left out, so that `npm ci` accepts it.
//
// Native tools ship one optional package per platform. When the registry at hand does not carry one of them, `npm
// install` silently leaves it out of the lockfile, and `npm ci` then refuses that lockfile everywhere. The entries
// written here have no integrity, and need none: they name platforms that evenkeel does not run on, so they are never
// downloaded.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32'];

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const added = [];

for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (found(path, name) || !/^\d/.test(version)) continue;
    const machine = machineOf(name);
    if (machine === undefined) continue;
    const dev = entry.dev === true ? { dev: true } : {};
    const { cpu, libc, os } = machine; // in npm's own order, so that its next write changes nothing
    lock.packages[`node_modules/${name}`] = { version, cpu, ...dev, ...libc, optional: true, os };
    added.push(`${name}@${version}`);
  }
}

if (added.length > 0) {
  const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
}
console.log(
  added.length === 0 ? 'package-lock.json is complete' : `added to package-lock.json:\n  ${added.join('\n  ')}`,
);

/** Whether `name` resolves from the package at `path`, looking upwards as Node does. */
function found(path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (!at.includes('/node_modules/')) return lock.packages[`node_modules/${name}`] !== undefined;
  }
}

/** `…-linux-arm64-musl` -> os, cpu and libc in the form of package.json; undefined when the name does not say. */
function machineOf(name) {
  const words = name.split(/[-/]/);
  const os = words.find((word) => SYSTEMS.includes(word));
  const cpu = words.find((word) => PROCESSORS.includes(word));
  if (os === undefined || cpu === undefined) return undefined;
  const musl = words.some((word) => word.startsWith('musl'));
  const glibc = words.some((word) => word.startsWith('gnu'));
  return {
    cpu: [cpu],
    ...(os === 'linux' && (musl || glibc) ? { libc: { libc: [musl ? 'musl' : 'glibc'] } } : {}),
    os: [os],
  };
}
