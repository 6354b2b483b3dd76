import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EntryConfig, NamedRoutes, ServiceEntry } from '../../src/domain/project/entry.ts';
import {
  carryOver,
  maintenanceOf,
  NO_ENTRY,
  OPEN,
  policyOf,
  routeKey,
  switchMaintenance,
} from '../../src/domain/project/entry.ts';

const names = fc.constantFrom('api', 'web', 'admin');
const paths = fc.constantFrom('/', '/in', '/hook');
const policies = fc.ipV4().map((address) => ({ ...OPEN, allow: [address] }));

const services: fc.Arbitrary<ServiceEntry[]> = fc.uniqueArray(
  fc.record({
    service: names,
    policy: policies,
    routes: fc.uniqueArray(fc.record({ host: fc.constant(null), path: paths, policy: policies }), {
      selector: ({ path }) => path,
    }),
    maintenance: fc.constant(null),
    pages: fc.constant({}),
  }),
  { selector: ({ service }) => service },
);
const entries: fc.Arbitrary<EntryConfig | undefined> = fc.option(
  services.map((each) => ({ ...NO_ENTRY, services: each })),
  { nil: undefined },
);
/** What routes the file has, for whatever it says or does not say about them. */
const files: fc.Arbitrary<NamedRoutes> = fc
  .uniqueArray(fc.tuple(names, fc.uniqueArray(paths, { minLength: 1 })), { selector: ([name]) => name })
  .map(
    (list) => new Map(list.map(([name, all]) => [name, new Set(all.map((path) => routeKey({ host: null, path })))])),
  );

const ALL = ['api', 'web', 'admin'].flatMap((service) =>
  ['/', '/in', '/hook'].map((path) => ({ service, host: null, path })),
);

describe('what the file once said', () => {
  test('holds on for routes that it does not have any more, and gives way for those that it has', () => {
    fc.assert(
      fc.property(entries, entries, files, (before, said, named) => {
        // A file speaks of its own services and routes only.
        const now = said && {
          ...said,
          services: said.services
            .filter(({ service }) => named.has(service))
            .map((each) => ({
              ...each,
              routes: each.routes.filter((route) => named.get(each.service)?.has(routeKey(route))),
            })),
        };
        const kept = carryOver(before, now, named) ?? NO_ENTRY;
        for (const { service, ...route } of ALL) {
          const inFile = named.get(service)?.has(routeKey(route)) === true;
          const found = policyOf(kept, service, route);
          if (inFile) expect(found).toEqual(policyOf(now ?? NO_ENTRY, service, route));
          const old = before?.services.find((each) => each.service === service);
          const own = old?.routes.find(({ path }) => path === route.path)?.policy;
          if (!inFile && own !== undefined) expect(found).toEqual(own);
          if (!named.has(service) && own === undefined && old !== undefined) expect(found).toEqual(old.policy);
        }
        // It is asked again at every deploy.
        expect(carryOver(kept, now, named) ?? NO_ENTRY).toEqual(kept);
      }),
    );
  });
});

describe('the switch of maintenance', () => {
  const all = ['api', 'web'];
  const steps = fc.array(
    fc.record({
      on: fc.boolean(),
      services: fc.option(fc.subarray(all, { minLength: 1 })),
      by: fc.constant('ada'),
      at: fc.nat(),
    }),
  );
  test('closes what was closed last, and nothing that was opened since', () => {
    fc.assert(
      fc.property(steps, (asked) => {
        const closed = new Set<string>();
        let switched: ReturnType<typeof switchMaintenance>;
        for (const step of asked) {
          switched = switchMaintenance(switched, step, all);
          for (const each of step.services ?? all) {
            if (step.on) closed.add(each);
            else closed.delete(each);
          }
          for (const each of all)
            expect([each, maintenanceOf(NO_ENTRY, switched, each) !== null]).toEqual([each, closed.has(each)]);
        }
      }),
    );
  });
});
