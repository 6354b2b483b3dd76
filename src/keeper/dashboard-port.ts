import { isIP } from 'node:net';
import { writeFileAtomic } from '../platform/atomic-file.ts';
import { claimName, type ClaimedName } from '../platform/claimed-name.ts';
import { portId, type PortBinding } from '../platform/ipc-messages.ts';
import { bindPort, isFailure, type ListenHandle } from '../platform/listen-handle.ts';
import { readJson } from '../platform/read-json.ts';
import type { Say } from './keeper-log.ts';

/** Where the dashboard is looked for when nobody says where it should be, and how many ports from there on are tried. */
const FIRST_PORT = 7611;
const PORTS = 20;
const LOOPBACK = '127.0.0.1';
/** Between two tries to have a port that somebody else has, ms. */
const RETRY_MS = 500;
/** A controller of a keeper that died may hold the port for as long as it takes it to leave. */
const TRIES_FOR_THE_LAST_ONE = 20;

/** What EVENKEEL_DASHBOARD wants: nothing, one address, or whatever is free. */
export type DashboardWanted =
  | { readonly ok: true; readonly at: PortBinding | 'any' | 'nowhere' }
  | { readonly ok: false; readonly why: string };

/** `off`, a port of this machine alone, or `ADDRESS:PORT` (`[::]:7611` for IPv6); unset: the first port that is free. */
export function dashboardWanted(env: NodeJS.ProcessEnv): DashboardWanted {
  const text = env['EVENKEEL_DASHBOARD'] ?? '';
  if (text === '') return { ok: true, at: 'any' };
  if (text === 'off') return { ok: true, at: 'nowhere' };
  const [, address = LOOPBACK, digits = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  const bind = address.replace(/^\[(.*)\]$/, '$1');
  const port = Number(digits);
  if (digits !== '' && port >= 1 && port <= 65_535 && isIP(bind) !== 0) return { ok: true, at: { bind, port } };
  return {
    ok: false,
    why: `EVENKEEL_DASHBOARD is ${JSON.stringify(text)}, and may be a port, an IP address and a port such as 127.0.0.1:${FIRST_PORT}, or off`,
  };
}

export interface DashboardPort {
  /** Null while it cannot be had. */
  held(): { readonly port: PortBinding; readonly handle: ListenHandle } | null;
  close(): void;
}

/**
 * Holds the port of the dashboard, as the keeper holds those of the edge: it outlives controllers. A port that was had before
 * is waited for, so that an address that people have kept stays what it was. `gained` is told when there is one.
 *
 * Two may bind one port as long as neither listens, and the controller that listens comes and goes: among servers of one
 * machine a port is therefore had by a name first, so that no address that one of them prints leads to another.
 */
export async function dashboardPort(
  at: PortBinding | 'any' | 'nowhere',
  { file, gained, say }: { file: string; gained: (port: PortBinding) => void; say: Say },
): Promise<DashboardPort> {
  let held: { port: PortBinding; handle: ListenHandle; name: ClaimedName } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  const last = at === 'any' ? await recorded(file) : null;
  let tries = 0;

  const take = async (port: PortBinding): Promise<boolean> => {
    // Whatever the address: everywhere and one place are the same port to those who print it.
    const name = await claimName(`evenkeel-dashboard-${port.port}`);
    const handle = name === null ? null : bindPort(port);
    if (name === null || handle === null || isFailure(handle) || closed) {
      name?.giveUp();
      const why = handle === null || !isFailure(handle) ? 'another evenkeel server has it' : handle.code;
      if (tries === 1 && !closed) say(`the dashboard cannot have ${portId(port)}: ${why}; trying again`);
      return false;
    }
    held = { port, handle, name };
    void writeFileAtomic(file, JSON.stringify(port)).catch((error: unknown) =>
      say(`cannot write ${file}: ${String(error)}`),
    );
    gained(port);
    return true;
  };
  const first = (): PortBinding[] => {
    if (at !== 'any') return at === 'nowhere' ? [] : [at];
    if (last !== null && tries < TRIES_FOR_THE_LAST_ONE) return [last];
    return Array.from({ length: PORTS }, (_, each) => ({ bind: LOOPBACK, port: FIRST_PORT + each }));
  };
  const look = async (): Promise<void> => {
    tries++;
    for (const port of first()) if (closed || (await take(port))) return;
    if (!closed && at !== 'nowhere') timer = setTimeout(() => void look(), RETRY_MS);
  };
  await look();

  return {
    held: () => held,
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      held?.handle.close();
      held?.name.giveUp();
      held = null;
    },
  };
}

async function recorded(file: string): Promise<PortBinding | null> {
  const value = (await readJson(file)) as Partial<PortBinding> | null;
  return typeof value?.port === 'number' && typeof value.bind === 'string'
    ? { port: value.port, bind: value.bind }
    : null;
}
