import type { Engine } from './engine.ts';
import { shortName, splitTag } from './names.ts';
import type { Service } from './shapes.ts';

/** Where a host led before: looking through all services for each request would cost more than the request. */
const led = new WeakMap<Engine, Map<string, string>>();

/** The service that answers at a host (without a tag). */
export function findByHost(engine: Engine, host: string): Service | null {
  const known = led.get(engine) ?? new Map<string, string>();
  led.set(engine, known);
  const before = engine.tables.services.get(known.get(host) ?? '');
  if (before !== undefined && answersAt(before, host)) return before;
  const found = engine.tables.services.list().find((service) => answersAt(service, host));
  if (found === undefined) known.delete(host);
  else known.set(host, found.name);
  return found ?? null;
}

/** Whether a service answers at a host (with or without a tag), or one of a project of this emulator will. */
export function mayAnswer(engine: Engine, host: string): boolean {
  const untagged = splitTag(host).host;
  if (findByHost(engine, untagged) !== null) return true;
  const [, number] = /-(\d+)\.[a-z\d-]+\.run\.app$/.exec(untagged) ?? [];
  return number !== undefined && engine.world.projects.tryFind(number) !== null;
}

function answersAt(service: Service, host: string): boolean {
  if (host.endsWith('.run.localhost')) return shortName(service.name) === host.slice(0, -'.run.localhost'.length);
  return service.urls.includes(`https://${host}`) && service.defaultUriDisabled !== true;
}
