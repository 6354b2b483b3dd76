import { noEvidence } from '../../src/domain/analysis/evidence-store.ts';
import { judge } from '../../src/domain/analysis/judge.ts';
import type { Project, RolloutPolicy, ServiceConfig } from '../../src/domain/project/project.ts';
import type { Deployment, Release } from '../../src/domain/release/release.ts';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import type { NewJournalEntry, NewRequest } from '../../src/ports/store.ts';

const policy: RolloutPolicy = {
  canary: [{ weight: 10, forMs: 600_000 }],
  analysis: { errorRate: 0.01, p95Ms: null, minRequests: null },
  onInconclusive: 'pause',
  rollbackWindowMs: 3_600_000,
  holdback: 0,
  drainMs: 30_000,
  deadlines: { buildingMs: 1, startingMs: 2, migratingMs: 3, verifyingMs: 4, promotingMs: 5 },
  pauseMs: 86_400_000,
  keepReleases: 5,
  keepFailed: false,
};

export const aService = (name: string): ServiceConfig => ({
  name,
  kind: 'http',
  dir: '.',
  build: 'npm run build',
  run: 'node main.js',
  migrate: null,
  smoke: [
    { kind: 'http', method: 'GET', path: '/', status: 200, bodyIncludes: null },
    { kind: 'command', command: 'true' },
  ],
  check: null,
  static: { dir: 'dist', spa: true },
  health: { path: '/health', graceMs: 0, deadlineMs: 60_000, intervalMs: 1_000, timeoutMs: 2_000 },
  instances: 2,
  timeoutMs: 30_000,
  env: { URL: ['x', { secret: 'KEY' }, { serviceUrl: 'db' }, { port: true }] },
  routes: [{ host: null, path: '/' }],
  after: [],
  resources: { memory: 1024, cpu: 0.5 },
  data: ['storage'],
  stopGraceMs: 10_000,
  rollout: policy,
});

export const aProject = (name: string, environment = 'production'): Project => ({
  name,
  root: '/srv/chat',
  environment: { name: environment, domain: null, port: 8080, bind: '127.0.0.1', approve: { people: 1 } },
  services: [aService('api')],
  secrets: ['KEY'],
});

export const aRelease = (service: string, number: number, over: Partial<Release> = {}): Release => ({
  id: `${service}@${number}`,
  project: 'chat',
  environment: 'production',
  service,
  number,
  source: { commit: 'c0ffee', dirty: true, label: 'v1.6.0' },
  artifact: null,
  configDigest: 'sha256:1',
  config: aService(service),
  createdBy: 'ann',
  createdAt: 1_700_000_000_000 + number,
  ...over,
});

export const aDeployment = (service: string, over: Partial<Deployment> = {}): Deployment => ({
  project: 'chat',
  environment: 'production',
  service,
  current: null,
  former: null,
  contracted: null,
  internalPort: null,
  previewPort: null,
  ...over,
});

export const aRollout = (id: string, services: string[], over: Partial<Rollout> = {}): Rollout => ({
  id,
  project: 'chat',
  environment: 'production',
  kind: 'deploy',
  services: services.map((service) => ({
    service,
    kind: 'http',
    from: null,
    to: `${service}@1`,
    after: [],
    builds: true,
    migrates: false,
    smokes: true,
    checks: false,
    contracts: true,
    limits: { errorRate: 0.01, p95Ms: null, minRequests: 20 },
  })),
  removes: [{ service: 'old', kind: 'http', release: 'old@3' }],
  opens: { from: { port: 8080, bind: '127.0.0.1' }, to: { port: 9090, bind: '0.0.0.0' } },
  policy,
  allowsBreaking: true,
  approvalsNeeded: 1,
  requestedBy: 'ann',
  author: 'person:ann',
  approvalRule: 1,
  createdAt: 1_700_000_000_000,
  phase: 'pending',
  end: null,
  endedAt: null,
  settled: false,
  phaseSince: 1_700_000_000_000,
  step: 0,
  stepSince: 1_700_000_000_000,
  phasePausedMs: 0,
  stepPausedMs: 0,
  paused: { reason: 'approval', since: 1_700_000_000_001, detail: 'one person' },
  waived: [],
  attempts: { 'migrate.api': 2 },
  held: {},
  contract: { api: 'failed' },
  verified: ['api'],
  approvals: [{ by: 'bob', human: 'person:bob', at: 1_700_000_000_002, comment: null }],
  analysis: {},
  reason: 'asked for',
  requestSeq: 0,
  promotedAt: null,
  fence: 0,
  version: 1,
  ...over,
});

/** A rollout that carries everything that one can: what analysis has counted and said. */
export function aJudgedRollout(id: string): Rollout {
  const counts = [{ weight: 10, canary: 3, baseline: 4 }];
  const arm = { requests: 500, sessions: 100, bad: 9, slowP75: 1, slowP95: 0, ttfb: [100, 450, 130, 50] };
  const totals = { metrics: { errors: counts, slowP75: counts, slowP95: [] }, arms: { canary: arm, baseline: arm } };
  const report = { epoch: 'e1', sequence: 7, rollout: id, ...totals };
  const verdict = judge({ evidence: totals, weight: 10, limits: { errorRate: 0.01, p95Ms: 900 }, phaseComplete: true });
  return aRollout(id, ['api'], {
    analysis: {
      api: {
        slow: { p75Ms: 12.5, p95Ms: 80 },
        evidence: { ...noEvidence(id), epochs: { e1: report } },
        windowStart: totals,
        verdict,
      },
    },
  });
}

export const anEntry = (over: Partial<NewJournalEntry> = {}): NewJournalEntry => ({
  at: 1_700_000_000_000,
  from: null,
  to: 'pending',
  reason: 'asked for by ann',
  detail: { services: ['api'], share: 0.1 },
  ...over,
});

export const aRequest = (rollout: string, over: Partial<NewRequest> = {}): NewRequest => ({
  rollout,
  kind: 'abort',
  by: 'ann',
  human: 'person:ann',
  at: 1_700_000_000_003,
  comment: null,
  force: false,
  ...over,
});
