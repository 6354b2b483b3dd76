import { describe, expect, it } from 'vitest';
import type { InstanceObservation } from '../../src/domain/instance/instance.ts';
import type { ServiceConfig } from '../../src/domain/project/project.ts';
import type { Address } from '../../src/domain/release/release.ts';
import type { DesiredService } from '../../src/domain/rollout/desired.ts';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { trafficTable } from '../../src/engine/traffic-table.ts';
import { aPart, aRollout } from '../support/rollout/builders.ts';
import { aDeployment, anInstance, releaseOf } from '../support/rollout/releases.ts';

const desired = (releases: [string, number][], over: Partial<DesiredService> = {}): DesiredService => ({
  service: 'api',
  unit: 'r1',
  releases: releases.map(([release, weight]) => ({ release, weight, run: true })),
  split: null,
  preview: null,
  early: null,
  ...over,
});

function table(
  of: DesiredService,
  instances: InstanceObservation[],
  configs: Record<string, Partial<ServiceConfig>> = {},
  { addresses = [], rollouts = [] }: { addresses?: Address[]; rollouts?: Rollout[] } = {},
) {
  return trafficTable({
    project: 'chat',
    environment: { name: 'production', domain: null, port: 8080, bind: '127.0.0.1', approve: { people: 0 } },
    desired: [of],
    deployments: [aDeployment(of.service)],
    addresses,
    rollouts,
    instances,
    release: (id) => releaseOf(id, configs[id]),
    certificateOf: () => null,
    artifactPath: (artifact) => `/artifacts/${artifact}`,
  });
}

describe("the edge's table", () => {
  it('has the addresses of those who ask it, each with the release that belongs to it', () => {
    const unit = aRollout({ phase: 'canary', services: [aPart('web'), aPart('api')] });
    const address = (release: string, port: number): Address => ({
      project: 'chat',
      environment: 'production',
      release,
      service: 'api',
      port,
    });
    const both = [['api@1', 90] as [string, number], ['api@2', 10] as [string, number]];
    const addresses = [address('web@2', 23_002), address('web@1', 23_001), address('mail@7', 23_007)];
    const callers = (of: DesiredService, rollouts: Rollout[]) =>
      table(of, [], {}, { addresses, rollouts })[0]?.callers.map(({ port, release }) => [port, release]);
    expect(callers(desired(both), [unit])).toEqual([
      [23_001, 'api@1'],
      [23_002, 'api@2'],
      [23_007, null],
    ]);
    expect(callers(desired([['api@1', 100]]), [unit])).toEqual([
      [23_001, 'api@1'],
      [23_002, null],
      [23_007, null],
    ]);
  });

  it('has both releases of a canary with their weights, the split and the preview', () => {
    const split = { rollout: 'r1/api', canary: 'api@2', baseline: 'api@1', slow: null };
    const [service] = table(
      desired(
        [
          ['api@1', 90],
          ['api@2', 10],
        ],
        { split, preview: 'api@2' },
      ),
      [anInstance('api@1', { port: 20_001 }), anInstance('api@2', { port: 20_002 })],
    );
    expect(service).toMatchObject({
      unit: 'r1',
      split,
      internalPort: 21_000,
      preview: { port: 22_000, release: 'api@2' },
      routes: [{ port: 8080, bind: '127.0.0.1', host: null, path: '/api' }],
      releases: [
        { release: 'api@1', weight: 90, instances: [{ port: 20_001, draining: false }] },
        { release: 'api@2', weight: 10, instances: [{ port: 20_002, draining: false }] },
      ],
    });
  });

  it('opens no route for a first release before it is promoted, only its preview', () => {
    const [service] = table(desired([['api@1', 0]], { preview: 'api@1' }), [anInstance('api@1')]);
    expect(service).toMatchObject({ routes: [], preview: { release: 'api@1' } });
  });

  it('lets other services reach a first release that was verified, and no user', () => {
    const [service] = table(desired([['api@1', 0]], { early: 'api@1' }), [anInstance('api@1')]);
    expect(service?.releases).toMatchObject([{ release: 'api@1', weight: 100 }]);
    expect(service?.routes).toEqual([]);
  });

  it('opens the routes of every release that has traffic', () => {
    const [service] = table(
      desired([
        ['api@1', 90],
        ['api@2', 10],
        ['api@3', 0],
      ]),
      [],
      {
        'api@2': {
          routes: [
            { host: null, path: '/v2' },
            { host: null, path: '/api' },
          ],
        },
        'api@3': { routes: [{ host: null, path: '/v3' }] },
      },
    );
    expect(service?.routes.map((each) => each.path)).toEqual(['/api', '/v2']);
  });

  it('keeps what is leaving as draining until it has ended', () => {
    const leaving = anInstance('api@1', { port: 20_001 });
    const of = (state: InstanceObservation['state']) =>
      table(desired([['api@2', 100]]), [anInstance('api@2'), { ...leaving, state }])[0]?.releases;
    expect(of('running')).toMatchObject([
      { release: 'api@2' },
      { release: 'api@1', weight: 0, instances: [{ draining: true }] },
    ]);
    expect(of('ended')).toMatchObject([{ release: 'api@2' }]);
  });

  it('lets what has nothing to serve drain without routes, and then vanish', () => {
    expect(table(desired([]), [anInstance('api@2')])).toMatchObject([
      { routes: [], releases: [{ release: 'api@2', weight: 0 }] },
    ]);
    expect(table(desired([]), [])).toEqual([]);
  });

  it('gives no new requests to a copy that is being stopped', () => {
    const [service] = table(desired([['api@1', 100]]), [anInstance('api@1', { state: 'stopping' })]);
    expect(service?.releases[0]?.instances).toMatchObject([{ draining: true }]);
  });

  it('takes the configuration of the release with most traffic, and names what another does differently', () => {
    const health = { path: '/new', graceMs: 0, deadlineMs: 1000, intervalMs: 1000, timeoutMs: 1000 };
    const [service] = table(
      desired([
        ['api@1', 90],
        ['api@2', 10],
      ]),
      [],
      { 'api@2': { health, timeoutMs: 9000 } },
    );
    expect(service).toMatchObject({
      timeoutMs: 5000,
      health: { path: '/health' },
      releases: [{ health: null }, { health: { path: '/new' } }],
    });
    const [switched] = table(
      desired([
        ['api@1', 0],
        ['api@2', 100],
      ]),
      [],
      { 'api@2': { health, timeoutMs: 9000 } },
    );
    expect(switched).toMatchObject({
      timeoutMs: 9000,
      health: { path: '/new' },
      releases: [{ health: { path: '/health' } }, { health: null }],
    });
  });

  it('has the folder of a static service inside its artifact', () => {
    const [service] = table(desired([['api@1', 100]]), [], {
      'api@1': { kind: 'static', dir: './web', static: { dir: 'dist', spa: true } },
    });
    expect(service?.releases).toMatchObject([
      { instances: [], static: { root: '/artifacts/sha-api@1/web/dist', spa: true } },
    ]);
  });

  it('has no worker', () => {
    expect(
      table(desired([['api@1', 100]]), [anInstance('api@1', { port: null })], { 'api@1': { kind: 'worker' } }),
    ).toEqual([]);
  });
});
