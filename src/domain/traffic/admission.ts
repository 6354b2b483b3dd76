import type { ApplyCommand, ApplyReply, EdgeService } from './protocol.ts';
import { serviceKey } from './protocol.ts';
import { normaliseHost, normalisePath } from './route-table.ts';

/** What an edge keeps of a service: the newest fence it heard for it, and its configuration while it has one. */
export interface AdmittedService {
  readonly key: string;
  readonly fence: number;
  readonly config: EdgeService | null;
}

/** What an edge serves by; by the keys of services. */
export type AdmittedTable = ReadonlyMap<string, AdmittedService>;

export const tableOf = (services: readonly AdmittedService[]): Map<string, AdmittedService> =>
  new Map(services.map((service) => [service.key, service]));

export type Refusal = NonNullable<ApplyReply['refused']>;

export type Admission =
  | { readonly refused: Refusal; readonly table: null }
  | { readonly refused: null; readonly table: AdmittedTable };

const refuse = (reason: Refusal['reason'], detail: string): Admission => ({ refused: { reason, detail }, table: null });

/**
 * The table after a command, or why it is refused. All or nothing; a removed service leaves its fence behind. One
 * controller speaks for all services: who has been overtaken for one of them has been for all, also for those that the
 * other one has not spoken of, or that are new.
 */
export function admit(table: AdmittedTable, command: ApplyCommand): Admission {
  const keys = [...command.services.map(serviceKey), ...command.remove];
  for (const { key, fence } of table.values())
    if (fence > command.fence)
      return refuse('fence', `${key} was last commanded with fence ${fence}, this one is ${command.fence}`);
  for (const service of command.services) {
    const problem = problemWithin(service);
    if (problem !== null) return refuse('invalid', `${serviceKey(service)}: ${problem}`);
  }
  const next = new Map(command.takesOver ? raised(table, command.fence) : table);
  for (const key of command.remove) next.set(key, { key, fence: command.fence, config: null });
  for (const service of command.services) {
    const key = serviceKey(service);
    next.set(key, { key, fence: command.fence, config: service });
  }
  // Whoever was there first keeps what both want: the newcomer is named as the one that cannot have it.
  const commanded = new Set(keys);
  const order = [...next.values()].toSorted((a, b) => Number(commanded.has(a.key)) - Number(commanded.has(b.key)));
  const conflict = firstConflict(order.flatMap(({ config }) => config ?? []));
  return conflict === null ? { refused: null, table: next } : refuse('conflict', conflict);
}

function* raised(table: AdmittedTable, fence: number): Generator<readonly [string, AdmittedService]> {
  for (const [key, service] of table) yield [key, { ...service, fence }];
}

function problemWithin(service: EdgeService): string | null {
  const names = service.releases.map(({ release }) => release);
  if (new Set(names).size !== names.length) return 'a release is named twice';
  const sum = service.releases.reduce((total, { weight }) => total + weight, 0);
  if (sum !== 0 && Math.abs(sum - 100) > 1e-6) return `weights sum to ${sum}, not to 100 (or all 0)`;
  const { split, preview } = service;
  const stranger = service.callers.find(({ release }) => release !== null && !names.includes(release));
  if (stranger !== undefined)
    return `port ${stranger.port} leads to ${stranger.release}, which is not among its releases`;
  if (split !== null && split.canary === split.baseline) return 'canary and baseline of the split are the same release';
  if (split !== null && !names.includes(split.canary))
    return `the split's canary ${split.canary} is not among its releases`;
  if (preview !== null && !names.includes(preview.release))
    return `the preview shows ${preview.release}, which is not among its releases`;
  const ids = service.releases.flatMap(({ instances }) => instances.map((instance) => instance.id));
  if (new Set(ids).size !== ids.length) return 'an instance is named twice';
  return null;
}

/** What a route without `bind` listens on. */
export const LOOPBACK = '127.0.0.1';

/** Whether an address takes in another: all of IPv4, or everything. */
export const isEverywhere = (bind: string, other: string): boolean =>
  bind === '::' || (bind === '0.0.0.0' && !other.includes(':'));

/** Two services that want the same route, or a port wanted for two purposes. */
function firstConflict(services: readonly EdgeService[]): string | null {
  const routes = new Map<string, string>();
  const ports = new Map<number, { use: string; key: string }>();
  const claim = (port: number, use: string, key: string): string | null => {
    const taken = ports.get(port);
    if (taken !== undefined && !(taken.use === 'routes' && use === 'routes'))
      return `port ${port} is wanted for the ${use} of ${key}, and taken by the ${taken.use} of ${taken.key}; give one of them another \`port\` in evenkeel.yaml`;
    ports.set(port, { use, key });
    return null;
  };
  const listening = new Map<number, Map<string, string>>();
  /** The system lets nobody have one address of a port while somebody has all of them. */
  const listen = (port: number, bind: string, key: string): string | null => {
    const others = listening.get(port) ?? new Map<string, string>();
    for (const [other, owner] of others)
      if (other !== bind && (isEverywhere(other, bind) || isEverywhere(bind, other)))
        return `port ${port} is wanted at ${bind} for ${key}, and ${owner} has it at ${other}; give both the same \`bind\`, or one of them another \`port\`, in evenkeel.yaml`;
    listening.set(port, others.set(bind, others.get(bind) ?? key));
    return null;
  };
  for (const service of services) {
    const key = serviceKey(service);
    for (const { port, host, path, bind } of service.routes) {
      const name = `${host === null ? '*' : normaliseHost(host)}:${port}${normalisePath(path)}`;
      const owner = routes.get(name);
      if (owner !== undefined)
        return `the route ${name} of ${key} is taken by ${owner}; give one of them another \`port\`, host or path in evenkeel.yaml`;
      routes.set(name, key);
      const problem = claim(port, 'routes', key) ?? listen(port, bind ?? LOOPBACK, key);
      if (problem !== null) return problem;
    }
    const own = [
      service.internalPort === null ? null : claim(service.internalPort, 'internal port', key),
      service.preview === null ? null : claim(service.preview.port, 'preview', key),
      ...service.callers.map(({ port }) => claim(port, 'internal port', key)),
    ].find((problem) => problem !== null);
    if (own !== undefined) return own;
  }
  return null;
}
