import { describe, expect, test } from 'vitest';
import { admit } from '../../src/domain/traffic/admission.ts';
import type { AdmittedService } from '../../src/domain/traffic/admission.ts';
import { edgeServiceSchema } from '../../src/domain/traffic/protocol.ts';
import type { EdgeService } from '../../src/domain/traffic/protocol.ts';

const of = (project: string, changes: Record<string, unknown>): EdgeService =>
  edgeServiceSchema.parse({
    project,
    environment: 'production',
    service: 'web',
    unit: 'unit',
    routes: [],
    internalPort: null,
    preview: null,
    releases: [],
    split: null,
    whenEmpty: 'hold',
    health: { path: null, graceMs: 1, intervalMs: 1, timeoutMs: 1 },
    timeoutMs: 1,
    drainMs: 1,
    ...changes,
  });

/** The table after these commands, one after the other; the last may be refused. */
function refusal(...services: EdgeService[]): string | null {
  let table: ReadonlyMap<string, AdmittedService> = new Map();
  for (const [fence, service] of services.entries()) {
    const admission = admit(table, { fence, services: [service], remove: [] });
    if (admission.refused !== null) return admission.refused.detail;
    ({ table } = admission);
  }
  return null;
}

const route = (port: number, bind?: string, host: string | null = null, path = '/') => ({ port, host, path, bind });

describe('two projects that want the same', () => {
  const both = /shop\/production\/web.*blog\/production\/web|blog\/production\/web.*shop\/production\/web/;

  test('route are both named, whichever way it is written, with what helps', () => {
    const why = refusal(
      of('shop', { routes: [route(80, undefined, 'shop.example', '/a/')] }),
      of('blog', { routes: [route(80, undefined, 'Shop.Example.', '/a')] }),
    );
    expect(why).toMatch(/the route shop\.example:80\/a of blog\/production\/web is taken by shop\/production\/web/);
    expect(why).toContain('evenkeel.yaml');
  });

  test('route: the newcomer is the one that cannot have it, also when it was known before', () => {
    const before = of('blog', { routes: [route(81)] });
    const why = refusal(before, of('shop', { routes: [route(80)] }), of('blog', { routes: [route(80)] }));
    expect(why).toMatch(/of blog\/production\/web is taken by shop\/production\/web/);
  });

  test('port for two purposes are both named', () => {
    const why = refusal(of('shop', { internalPort: 8080 }), of('blog', { routes: [route(8080)] }));
    expect(why).toMatch(both);
    expect(why).toContain('port 8080 is wanted for the routes of blog/production/web');
  });

  test.each([
    ['0.0.0.0', undefined],
    [undefined, '0.0.0.0'],
    ['::', '0.0.0.0'],
    ['127.0.0.1', '::'],
  ])('port at %s and at %s, which the system gives to one alone, are both named', (first, second) => {
    const why = refusal(
      of('shop', { routes: [route(80, first)] }),
      of('blog', { routes: [route(80, second, 'b', '/b')] }),
    );
    expect(why).toMatch(both);
    expect(why).toContain('`bind`');
  });

  test('port at addresses that have nothing to do with each other, or at the same, may have it', () => {
    expect(
      refusal(
        of('a', { routes: [route(80, '0.0.0.0')] }),
        of('b', { routes: [route(80, '0.0.0.0', 'b')] }),
        of('c', { routes: [route(80, '::1', 'c')] }),
        of('d', { routes: [route(81, '127.0.0.1'), route(81, '127.0.0.2', 'd')] }),
      ),
    ).toBeNull();
  });
});

describe('a controller that takes over', () => {
  const table = new Map(
    ['shop', 'blog'].map((project) => {
      const config = of(project, {});
      const key = `${project}/production/web`;
      return [key, { key, fence: 3, config }] as const;
    }),
  );
  const taken = admit(table, { fence: 5, services: [], remove: [], takesOver: true }).table ?? new Map();

  test('speaks for every service from then on, and changes none', () => {
    expect([...taken.values()].map(({ fence }) => fence)).toEqual([5, 5]);
    expect([...taken.values()].map(({ config }) => config)).toEqual([...table.values()].map(({ config }) => config));
  });

  test.each([
    ['of a service that the other one has not spoken of', [of('shop', {})], []],
    ['of a new service', [of('new', {})], []],
    ['that removes one', [], ['blog/production/web']],
    ['to take over again', [], []],
  ])('leaves the one before no word: a command %s is refused', (_, services, remove) => {
    const refused = admit(taken, { fence: 4, services, remove, takesOver: true });
    expect(refused.refused?.reason).toBe('fence');
  });

  test('has been overtaken for all services by one who has spoken of one of them', () => {
    const spoken = admit(table, { fence: 6, services: [of('shop', {})], remove: [] }).table ?? new Map();
    expect(admit(spoken, { fence: 3, services: [of('blog', {})], remove: [] }).refused?.reason).toBe('fence');
  });
});
