import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isPortFree } from '../../../platform/port-free.ts';
import { bootId } from '../../../platform/process/identity.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import { isCode, readIfThere, replaceFile, timeOf } from './folder.ts';

/** Instances listen on ports of this range, without those that the kernel gives to outgoing connections. */
export const PORT_RANGE = { first: 20_000, last: 29_999 };

/** A promised port that no instance took within this time (ms) is free again: its controller died in between. */
const PROMISE_FOR = 60 * 60_000;

const promiseSchema = z.object({ owner: z.string().nullable(), boot: z.string() });

/** Promises of ports, kept as one file each in a folder, so that they outlive a crash and hold between processes. */
export interface PortPromises {
  allocate(): Promise<number>;
  /** The port belongs to this instance from now on. */
  bind(port: number, id: string): void;
  /** Gives the port back if it belongs to this instance. */
  release(port: number, id: string): void;
}

export interface PortPromisesOptions {
  range?: { first: number; last: number };
  /** Whether an instance that a port was given to still exists; when it does not, the port is free. */
  isKnown?: (id: string) => boolean;
}

export function portPromises(
  folder: string,
  { range = PORT_RANGE, isKnown = () => true }: PortPromisesOptions = {},
): PortPromises {
  const fileOf = (port: number) => join(folder, String(port));

  /** Takes the promise for nobody yet; false when another holds it. */
  const promise = (port: number): boolean => {
    const file = fileOf(port);
    const content = JSON.stringify({ owner: null, boot: bootId() });
    try {
      writeFileSync(file, content, { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
    if (isHeld(file, isKnown)) return false;
    rmSync(file, { force: true });
    try {
      writeFileSync(file, content, { flag: 'wx', mode: 0o600 });
      return true;
    } catch {
      return false; // taken by another at this moment
    }
  };

  let sweptAt = Number.NEGATIVE_INFINITY;
  /** A port in ten thousand is not soon tried again: without this each promise that lapsed would leave its file behind. */
  const sweep = (): void => {
    if (performance.now() - sweptAt < PROMISE_FOR) return;
    sweptAt = performance.now();
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      if (!isHeld(file, isKnown)) rmSync(file, { force: true });
    }
  };

  return {
    async allocate() {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      sweep();
      const candidates = portsOf(range);
      // From anywhere: two homes on one machine, which do not know each other's promises, rarely meet.
      const start = Math.floor(Math.random() * candidates.length);
      for (let step = 0; step < candidates.length; step++) {
        const port = candidates[(start + step) % candidates.length] ?? range.first;
        if (!promise(port)) continue;
        if (await isPortFree(port)) return port;
        rmSync(fileOf(port), { force: true });
      }
      throw new EvenkeelError({
        code: 'no-free-port',
        what: `No port between ${range.first} and ${range.last} is free.`,
        next: 'Stop what listens there, or remove releases that are no longer needed.',
        retryable: true,
        exit: 2,
      });
    },
    bind(port, id) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      replaceFile(fileOf(port), JSON.stringify({ owner: id, boot: bootId() }));
    },
    release(port, id) {
      if (readPromise(fileOf(port))?.owner === id) rmSync(fileOf(port), { force: true });
    },
  };
}

function readPromise(file: string): z.infer<typeof promiseSchema> | null {
  try {
    return promiseSchema.parse(JSON.parse(readIfThere(file) ?? ''));
  } catch {
    return null;
  }
}

function isHeld(file: string, isKnown: (id: string) => boolean): boolean {
  const written = timeOf(file);
  if (written === null) return false;
  const held = readPromise(file);
  if (held !== null && held.owner !== null) return isKnown(held.owner);
  return (held === null || held.boot === bootId()) && Date.now() - written < PROMISE_FOR;
}

function portsOf(range: { first: number; last: number }): number[] {
  const all = Array.from({ length: range.last - range.first + 1 }, (_, index) => range.first + index);
  const outgoing = outgoingPorts();
  const safe = all.filter((port) => port < outgoing.first || port > outgoing.last);
  // Where the kernel's range covers everything there is no better choice than to look what is free now.
  return safe.length > 0 ? safe : all;
}

function outgoingPorts(): { first: number; last: number } {
  try {
    const [first = 0, last = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1')
      .trim()
      .split(/\s+/)
      .map(Number);
    return { first, last };
  } catch {
    return { first: 0, last: -1 };
  }
}
