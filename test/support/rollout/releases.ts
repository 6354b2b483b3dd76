import type { InstanceObservation } from '../../../src/domain/instance/instance.ts';
import type { ServiceConfig } from '../../../src/domain/project/project.ts';
import type { Deployment, Release } from '../../../src/domain/release/release.ts';
import { aPolicy, minute, second, START } from './builders.ts';

/** Releases, their instances and their deployments, for tests of what the engine makes of them. */

export const aConfig = (name: string, over: Partial<ServiceConfig> = {}): ServiceConfig => ({
  name,
  kind: 'http',
  dir: '.',
  build: null,
  run: 'node main.js',
  migrate: null,
  smoke: [],
  check: null,
  static: null,
  health: { path: '/health', graceMs: 0, deadlineMs: minute, intervalMs: second, timeoutMs: second },
  instances: 1,
  timeoutMs: 5 * second,
  env: {},
  routes: [{ host: null, path: `/${name}` }],
  after: [],
  resources: { memory: null, cpu: null },
  data: [],
  stopGraceMs: second,
  rollout: aPolicy(),
  ...over,
});

export const releaseOf = (id: string, over: Partial<ServiceConfig> = {}): Release => {
  const [service = '', number] = id.split('@');
  return {
    id,
    project: 'chat',
    environment: 'production',
    service,
    number: Number(number),
    source: { commit: null, dirty: false, label: null },
    artifact: `sha-${id}`,
    configDigest: 'digest',
    config: aConfig(service, over),
    createdBy: 'ann',
    createdAt: START,
  };
};

export const anInstance = (release: string, over: Partial<InstanceObservation> = {}): InstanceObservation => ({
  id: `chat.production.${release}.0.0`,
  service: release.split('@')[0] ?? '',
  release,
  index: 0,
  generation: 0,
  port: 20_000,
  state: 'running',
  pid: 77,
  startedAt: START,
  endedAt: null,
  end: null,
  stopRequested: false,
  usage: null,
  ...over,
});

export const aDeployment = (service: string, over: Partial<Deployment> = {}): Deployment => ({
  project: 'chat',
  environment: 'production',
  service,
  current: `${service}@1`,
  former: null,
  contracted: null,
  internalPort: 21_000,
  previewPort: 22_000,
  ...over,
});
