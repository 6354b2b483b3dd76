import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ServiceConfig } from '../../src/domain/project/project.ts';
import { processBuilder } from '../../src/drivers/build/process-builder.ts';
import { processJobs } from '../../src/drivers/runtime/process/jobs.ts';
import type { BuildObservation, Builder, BuildRequest } from '../../src/ports/builder.ts';
import { tempDir } from './temp.ts';
import { waitFor } from './wait.ts';

/** A builder with real jobs in a home of its own. */
export function aBuilder(home = tempDir('home')) {
  const jobs = processJobs({ home });
  return { home, jobs, builder: processBuilder({ home, jobs, pollMs: 20 }) };
}

/** A project's folder with these files; the values are their contents. */
export function aProject(files: Record<string, string>, root = tempDir('project')): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

export function git(root: string, ...args: string[]): string {
  const settings = [
    'user.name=Ada',
    'user.email=ada@example.com',
    'init.defaultBranch=main',
    'protocol.file.allow=always',
  ];
  const options = settings.flatMap((each) => ['-c', each]);
  return execFileSync('git', [...options, ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

export function commitAll(root: string): string {
  git(root, 'init', '-q');
  git(root, 'add', '-A');
  git(root, 'commit', '-qm', 'all');
  return git(root, 'rev-parse', 'HEAD');
}

export function aService(given: Partial<ServiceConfig> = {}): ServiceConfig {
  return {
    name: 'api',
    kind: 'worker',
    dir: '.',
    build: null,
    run: 'node main.js',
    migrate: null,
    smoke: [],
    check: null,
    static: null,
    health: { path: null, graceMs: 0, deadlineMs: 60_000, intervalMs: 1000, timeoutMs: 1000 },
    instances: 1,
    timeoutMs: 1000,
    env: {},
    routes: [],
    after: [],
    resources: { memory: null, cpu: null },
    data: [],
    stopGraceMs: 1000,
    rollout: {
      canary: [],
      analysis: { errorRate: null, p95Ms: null, minRequests: null },
      onInconclusive: 'pause',
      rollbackWindowMs: 0,
      holdback: 0,
      drainMs: 0,
      deadlines: { buildingMs: 0, startingMs: 0, migratingMs: 0, verifyingMs: 0, promotingMs: 0 },
      pauseMs: 0,
      keepReleases: 5,
      keepFailed: false,
    },
    ...given,
  };
}

let builds = 0;

export function aRequest(root: string, given: Partial<BuildRequest> = {}): BuildRequest {
  const id = `r1.build.api.${++builds}`;
  return {
    id,
    project: 'chat',
    environment: 'staging',
    root,
    service: aService(),
    env: {},
    log: join(tempDir('log'), `${id}.log`),
    ...given,
  };
}

export type Ended = Exclude<BuildObservation, { state: 'absent' | 'running' }>;

export async function buildEnd(builder: Builder, id: string): Promise<Ended> {
  return waitFor(
    async () => {
      const seen = await builder.observe(id);
      return seen.state === 'done' || seen.state === 'failed' ? seen : null;
    },
    { what: `the end of build ${id}`, timeout: 40_000 },
  );
}

/** Builds to the end, and drops nothing. */
export async function build(builder: Builder, request: BuildRequest): Promise<Ended> {
  await builder.start(request);
  onTestFinished(() => builder.cancel(request.id));
  return buildEnd(builder, request.id);
}

/** The artifact of a build that must succeed, as the absolute folder of its tree. */
export async function built(
  builder: Builder,
  request: BuildRequest,
): Promise<{ artifact: string; path: string; reused: boolean; detail: string }> {
  const end = await build(builder, request);
  if (end.state !== 'done') throw new Error(`the build failed: ${end.detail}`);
  return { ...end, path: builder.artifactPath(end.artifact) };
}
