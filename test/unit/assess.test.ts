import { describe, expect, it } from 'vitest';
import type { InstanceObservation } from '../../src/domain/instance/instance.ts';
import type { ServiceConfig } from '../../src/domain/project/project.ts';
import { desiredServices } from '../../src/domain/rollout/desired.ts';
import { lost } from '../../src/domain/rollout/lost.ts';
import type { Observed } from '../../src/domain/rollout/observed.ts';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { type EdgeState, serviceKey } from '../../src/domain/traffic/protocol.ts';
import type { EdgeStats } from '../../src/domain/traffic/stats.ts';
import { assess } from '../../src/engine/assess.ts';
import { HealthMemory } from '../../src/engine/health-memory.ts';
import { trafficTable } from '../../src/engine/traffic-table.ts';
import { bucketOf } from '../../src/lib/histogram.ts';
import { aPart, aRollout, counted, second, START } from '../support/rollout/builders.ts';
import { aDeployment, anInstance, releaseOf } from '../support/rollout/releases.ts';

const canary = aRollout({
  phase: 'canary',
  verified: ['api'],
  analysis: { api: { slow: null, evidence: { rollout: 'r1/api', epochs: {} }, windowStart: null, verdict: null } },
});
const v1 = anInstance('api@1', { port: 20_001 });
const v2 = anInstance('api@2', { port: 20_002 });

interface Given {
  rollout?: Rollout;
  instances?: InstanceObservation[];
  config?: Partial<ServiceConfig>;
  healthy?: string[];
  /** How often each was asked, all with success; by its id. Twice when it is not named. */
  checks?: Record<string, number>;
  /** The controller was away: what it sees first may have been well before. */
  hasComeBack?: boolean;
  edgeAway?: boolean;
  refusal?: string | null;
  /** Why the environment is not served over TLS. */
  tls?: string;
  stats?: Partial<EdgeStats>;
  /** A release of which a copy is being started. */
  starting?: string;
}

/** What is seen of an edge that has applied what the rollout asks for. */
function observe(given: Given = {}): Observed {
  const { rollout = canary, instances = [v1, v2], config = {}, healthy = [v1.id, v2.id], refusal = null } = given;
  const release = (id: string) => releaseOf(id, config);
  const deployments = [aDeployment('api')];
  const services = trafficTable({
    project: 'chat',
    environment: { name: 'production', domain: null, port: 8080, bind: '127.0.0.1', approve: { people: 0 } },
    desired: desiredServices(deployments, [rollout]),
    deployments,
    addresses: [],
    rollouts: [rollout],
    instances,
    release,
    certificateOf: () => null,
    artifactPath: (artifact) => `/artifacts/${artifact}`,
  }).map((each) => ({
    key: serviceKey(each),
    fence: 1,
    config: each,
    instances: each.releases.flatMap((one) =>
      one.instances.map(({ id }) => ({
        id,
        healthy: healthy.includes(id),
        consecutive: given.checks?.[id] ?? 2,
        checks: given.checks?.[id] ?? 2,
        lastError: null,
        inFlight: 0,
        ejected: false,
      })),
    ),
    effective: [],
    held: 0,
  }));
  const port = { port: 8443, bind: '127.0.0.1', services: ['chat/production/api'], hosts: [], certificates: [] };
  const tls = given.tls === undefined ? [] : [{ ...port, error: given.tls }];
  const edge: EdgeState | null = given.edgeAway === true ? null : { epoch: 'e1', pid: 7, services, tls };
  const stats: EdgeStats = {
    epoch: 'e1',
    sequence: 1,
    at: START,
    releases: [],
    services: [],
    evidence: [],
    unrouted: 0,
    ...given.stats,
  };
  const health = new HealthMemory();
  if (given.hasComeBack === true)
    health.update(
      services.flatMap((each) => each.instances),
      START,
    );
  return assess(rollout, {
    snapshot: { at: START + 10 * second, instances, edge, stats },
    health,
    release,
    work: () => ({ state: 'absent', detail: '' }),
    answered: () => null,
    requests: [],
    superseded: false,
    schemaBusy: null,
    pastContract: null,
    refusal,
    unstartable: () => null,
    isBeingStarted: (id) => id === given.starting,
  });
}

const api = (observed: Observed) => {
  const service = observed.services['api'];
  if (service === undefined) throw new Error('api was not observed');
  return service;
};

describe('what decide is told', () => {
  it('counts who runs and whom the edge calls healthy, and the weight that it has applied', () => {
    const { to, from } = api(observe({ healthy: [v1.id] }));
    expect(to).toEqual({ wanted: 1, running: 1, healthy: 0, starting: true, failure: null, weight: 10, present: true });
    expect(from).toMatchObject({ running: 1, healthy: 1, weight: 90 });
  });

  it('does not take for lost whom a controller that has just come back asked only once yet', () => {
    const asked = (checks: number) => observe({ healthy: [v1.id], checks: { [v2.id]: checks }, hasComeBack: true });
    expect([0, 1, 2].map((checks) => lost(asked(checks), aPart('api')))).toEqual([
      null,
      null,
      'none of its instances is healthy',
    ]);
  });

  it('does not call a deploy well whose environment is not served over TLS; a rollback has no such worries', () => {
    const why = 'another program has port 443';
    expect(api(observe({ tls: why })).to.failure).toContain(why);
    expect(observe({ tls: why }).refusal).toBe(why);
    expect(api(observe({ tls: why, rollout: { ...canary, kind: 'rollback' } })).to.failure).toBe(null);
    expect(api(observe({ tls: why, rollout: { ...canary, phase: 'watching' } })).to.failure).toBe(null);
  });

  it('knows nothing of health and weights while the edge is away, but who runs', () => {
    const observed = observe({ edgeAway: true });
    expect(observed.edgeReachable).toBe(false);
    expect(api(observed).to).toMatchObject({ running: 1, healthy: 0, weight: null, present: true });
  });

  it('does not count what is being stopped as running', () => {
    expect(api(observe({ instances: [v1, { ...v2, state: 'stopping' }] })).to).toMatchObject({
      running: 0,
      present: true,
    });
  });

  it('counts a former release as there when a copy of it is about to be', () => {
    const gone = { instances: [v2], edgeAway: true };
    expect(api(observe(gone)).from).toMatchObject({ running: 0, present: false });
    expect(api(observe({ ...gone, starting: 'api@1' })).from).toMatchObject({ running: 0, present: true });
  });

  it('calls a worker well once it has stayed up, whatever the edge does', () => {
    const rollout = aRollout({ phase: 'verifying', services: [aPart('api', { kind: 'worker' })] });
    const since = (ago: number) => ({ ...v2, port: null, startedAt: START + 10 * second - ago });
    const worker = { rollout, config: { kind: 'worker' as const }, edgeAway: true };
    expect(api(observe({ ...worker, instances: [since(2 * second)] })).to.healthy).toBe(0);
    expect(api(observe({ ...worker, instances: [since(3 * second)] })).to.healthy).toBe(1);
    // The clock was set back since it started.
    expect(api(observe({ ...worker, instances: [since(-3600 * second)] })).to.healthy).toBe(1);
  });

  it('calls static files well once the edge has them', () => {
    const config = { kind: 'static' as const, static: { dir: 'dist', spa: false } };
    expect(api(observe({ config, instances: [] })).to).toMatchObject({ wanted: 1, running: 1, healthy: 1, weight: 10 });
    expect(api(observe({ config, instances: [], edgeAway: true })).to).toMatchObject({ healthy: 0, present: false });
  });

  it('says why a release cannot become healthy', () => {
    const ended = v2.startedAt + second;
    const crash = { state: 'ended' as const, end: { kind: 'exit' as const, code: 1 }, endedAt: ended };
    const loop = [0, 1, 2, 3].map((generation) => ({ ...v2, ...crash, id: `${v2.id}${generation}`, generation }));
    expect(api(observe({ instances: [v1, ...loop] })).to).toMatchObject({
      failure: 'it ended 4 times in a row: exit code 1',
      present: false,
    });
  });

  it('fails what the edge refuses to take, but not a release that it took long ago', () => {
    const refusal = 'route /api is taken by another service';
    expect(api(observe({ refusal })).to.failure).toBe(`the edge refused it: ${refusal}`);
    const watching = { ...canary, phase: 'watching' as const };
    expect(api(observe({ rollout: watching, refusal })).to.failure).toBeNull();
  });

  it("takes in the edge's evidence of this rollout, once", () => {
    const [report] = Object.values(counted('r1/api', { canary: 10, baseline: 90 }).epochs);
    if (report === undefined) throw new Error('there is a report');
    const foreign = { ...report, rollout: 'r0/api' };
    const { evidence } = api(observe({ stats: { evidence: [foreign, report] } }));
    expect(evidence).toEqual({ rollout: 'r1/api', epochs: { e1: report } });
    const stored = { ...canary, analysis: { api: { slow: null, evidence, windowStart: null, verdict: null } } };
    expect(api(observe({ rollout: stored, stats: { evidence: [report] } })).evidence).toBe(evidence);
  });

  it('has quantiles of the baseline only from enough replies', () => {
    const releases = (replies: number): EdgeStats['releases'] => [
      {
        key: 'chat/production/api',
        release: 'api@1',
        requests: replies,
        classes: [0, replies, 0, 0, 0],
        bad: 0,
        clientAborts: 0,
        retries: 0,
        ttfb: [bucketOf(100), replies],
        inFlight: 0,
        websockets: 0,
      },
    ];
    expect(api(observe({ stats: { releases: releases(39) } })).baselineSlow).toBeNull();
    const slow = api(observe({ stats: { releases: releases(40) } })).baselineSlow;
    expect(slow?.p75Ms).toBeGreaterThanOrEqual(100);
    expect(slow?.p75Ms).toBeLessThan(110);
  });
});
