import type { EnvironmentConfig, SmokeCheck } from '../domain/project/project.ts';
import type { Deployment, Release } from '../domain/release/release.ts';
import type { Work } from '../domain/rollout/observed.ts';
import type { Rollout } from '../domain/rollout/rollout.ts';
import { described, EvenkeelError } from '../ports/errors.ts';
import type { JobObservation } from '../ports/runtime.ts';
import type { EngineDeps } from './deps.ts';
import { refuseBreakingRelease } from './migrations.ts';
import { resolveEnv } from './resolve-env.ts';
import { noting, runAs } from './run-as.ts';
import { runHttpSmoke } from './smoke.ts';
import { attemptOf, workId, type WorkKind } from './work-ids.ts';

const ABSENT: Work = { state: 'absent', detail: '' };

/** What the jobs of a rollout need to know of its environment. */
export interface WorkContext {
  root: string;
  environment: EnvironmentConfig;
  /** The release that a rollout moves a service to. */
  release: (rollout: Rollout, service: string) => Release;
  deployments: Deployment[];
  /** Where a release asks a service. */
  serviceUrl: (service: string, release: string) => string | null;
}

/**
 * The pieces of work of rollouts: begun at most once each, found again after a crash by their derived names. HTTP
 * smoke tests alone live in memory: they only ask, so asking again is harmless.
 */
export class Works {
  readonly #deps: EngineDeps;
  readonly #smokes = new Map<string, Work>();
  /** What could not even be begun, and why; in memory, since trying once more after a crash is harmless. */
  readonly #unbegun = new Map<string, Work>();
  /** What became of the look at a migration before it runs; in memory, since looking again is harmless. */
  readonly #looked = new Map<string, 'looking' | 'clear'>();
  readonly #onEnd: () => void;

  constructor(deps: EngineDeps, onEnd: () => void) {
    this.#deps = deps;
    this.#onEnd = onEnd;
  }

  /** What is known of each piece of work that the rollout's phase has anything to do with. */
  async observe(rollout: Rollout, context: WorkContext): Promise<(kind: WorkKind, service: string) => Work> {
    const known = new Map<string, Work>();
    const kinds = kindsOf(rollout);
    for (const each of rollout.services) {
      const applies = {
        build: each.builds,
        migrate: each.migrates,
        smoke: each.smokes,
        check: each.checks,
        contract: each.contracts,
      };
      for (const kind of kinds) {
        if (!applies[kind]) continue;
        const id = workId(rollout.id, kind, each.service, attemptOf(rollout.attempts, kind, each.service));
        const work = await this.#observeOne(kind, id, rollout, each.service, context);
        known.set(`${kind} ${each.service}`, work.state === 'absent' ? (this.#unbegun.get(id) ?? work) : work);
      }
    }
    return (kind, service) => known.get(`${kind} ${service}`) ?? ABSENT;
  }

  async #observeOne(
    kind: WorkKind,
    id: string,
    rollout: Rollout,
    service: string,
    context: WorkContext,
  ): Promise<Work> {
    if (kind === 'build') {
      const build = await this.#deps.builder.observe(id);
      if (build.state !== 'done') return { state: build.state, detail: 'detail' in build ? build.detail : '' };
      const release = context.release(rollout, service);
      // The release learns its artifact before the rollout learns that the build is done.
      if (release.artifact === null) await this.#deps.store.setArtifact(rollout.project, release.id, build.artifact);
      return { state: 'done', detail: build.detail };
    }
    if (kind === 'smoke') {
      const smoke = this.#smokes.get(id);
      if (smoke !== undefined && smoke.state !== 'done') return smoke;
      const command = commandOf(context.release(rollout, service).config.smoke);
      if (command === null) return smoke ?? ABSENT;
      // Requests first, then the command.
      if (smoke === undefined && hasHttp(context.release(rollout, service).config.smoke)) return ABSENT;
    }
    return toWork(await this.#deps.jobs.observe(id));
  }

  /** Begins it, unless it was begun. What will not work however often one tries (a missing secret) is a failed piece of work. */
  async begin(kind: WorkKind, rollout: Rollout, service: string, context: WorkContext): Promise<void> {
    const id = workId(rollout.id, kind, service, attemptOf(rollout.attempts, kind, service));
    try {
      await this.#begin(kind, id, rollout, service, context);
    } catch (error) {
      if (!(error instanceof EvenkeelError) || error.retryable) throw error;
      this.#refuse(id, error);
    }
  }

  async #begin(kind: WorkKind, id: string, rollout: Rollout, service: string, context: WorkContext): Promise<void> {
    const release = context.release(rollout, service);
    const { config } = release;
    if (kind === 'migrate' && !this.#mayMigrate(id, rollout, release)) return;
    if (kind === 'smoke' && hasHttp(config.smoke) && this.#smokes.get(id)?.state !== 'done') {
      this.#beginHttpSmoke(id, rollout, service, release, context);
      return;
    }
    const scope = { project: rollout.project, environment: rollout.environment };
    const { serviceUrl, calls } = noting((asked) => context.serviceUrl(asked, release.id));
    const { cloud } = config;
    const env =
      cloud === undefined ? await resolveEnv(config.env, scope, { port: null, serviceUrl }, this.#deps.secrets) : {};
    const log = this.#deps.places.jobLog({ ...scope, job: id });
    if (kind === 'build') {
      await this.#deps.builder.start({ id, ...scope, root: context.root, service: config, env, log });
      return;
    }
    const command = {
      migrate: config.migrate,
      check: config.check,
      smoke: commandOf(config.smoke),
      contract: config.contract ?? null,
    }[kind];
    if (command === null || release.artifact === null) return;
    const preview = context.deployments.find((each) => each.service === service)?.previewPort ?? null;
    await this.#deps.jobs.start({
      id,
      ...scope,
      command,
      workingCopy: {
        artifact: this.#deps.builder.artifactPath(release.artifact),
        dir: config.dir,
        data: config.data.map((path) => ({ path, target: this.#deps.places.data({ ...scope, service, path }) })),
      },
      env: {
        ...env,
        EVENKEEL_RELEASE: release.id,
        ...(preview === null || cloud !== undefined ? {} : { SMOKE_URL: `http://127.0.0.1:${preview}` }),
      },
      log,
      resources: config.resources,
      runAs: runAs(config),
      calls: [...calls(), ...(preview === null ? [] : [preview])],
      cloud: cloud && { config: cloud, preview: preview === null ? null : release.id },
    });
  }

  /** Reading takes a while, and the loop goes on looking meanwhile: an abort must not wait for it. */
  #mayMigrate(id: string, rollout: Rollout, release: Release): boolean {
    const known = this.#looked.get(id);
    if (known !== undefined) return known === 'clear';
    const from = rollout.services.find((each) => each.service === release.service)?.from ?? null;
    if (from === null || rollout.allowsBreaking) return true;
    // Just built: the next look knows what.
    if (release.artifact === null) return false;
    this.#looked.set(id, 'looking');
    void refuseBreakingRelease(this.#deps, release, from).then(
      () => {
        this.#looked.set(id, 'clear');
        this.#onEnd();
      },
      (error: unknown) => {
        // What may pass is tried again at the next look.
        this.#looked.delete(id);
        if (error instanceof EvenkeelError && !error.retryable) this.#refuse(id, error);
        else this.#deps.log.error({ rollout: rollout.id }, `its migrations could not be looked at: ${String(error)}`);
      },
    );
    return false;
  }

  #refuse(id: string, error: EvenkeelError): void {
    this.#unbegun.set(id, { state: 'failed', detail: `it could not be begun: ${described(error)}` });
    this.#onEnd();
  }

  #beginHttpSmoke(id: string, rollout: Rollout, service: string, release: Release, context: WorkContext): void {
    if (this.#smokes.get(id)?.state === 'running') return;
    const port = context.deployments.find((each) => each.service === service)?.previewPort ?? null;
    const host = release.config.routes[0]?.host ?? null;
    const running: Work = { state: 'running', detail: '' };
    this.#smokes.set(id, running);
    void runHttpSmoke(this.#deps, { checks: release.config.smoke, port, host, release }).then((work) => {
      // Nobody asks any more when it was cancelled meanwhile.
      if (this.#smokes.get(id) === running) this.#smokes.set(id, work);
      this.#onEnd();
    });
  }

  /** Ends what still runs of a rollout that was taken back; with `migrations` those too. */
  async cancel(rollout: Rollout, service: string, migrations: boolean): Promise<void> {
    const id = (kind: WorkKind): string =>
      workId(rollout.id, kind, service, attemptOf(rollout.attempts, kind, service));
    await this.#deps.builder.cancel(id('build'));
    const kinds: WorkKind[] = migrations ? ['smoke', 'check', 'migrate', 'contract'] : ['smoke', 'check'];
    this.#smokes.delete(id('smoke'));
    for (const kind of kinds)
      if ((await this.#deps.jobs.observe(id(kind))).state === 'running')
        await this.#deps.jobs.cancel(id(kind), { graceMs: 10_000 });
  }

  /** Forgets the jobs of a rollout that is over. Their output stays. */
  async forget(rollout: Rollout): Promise<void> {
    for (const each of rollout.services) {
      for (const kind of ['migrate', 'smoke', 'check', 'contract'] as const) {
        for (let attempt = 1; attempt <= attemptOf(rollout.attempts, kind, each.service); attempt++) {
          const id = workId(rollout.id, kind, each.service, attempt);
          this.#smokes.delete(id);
          this.#unbegun.delete(id);
          this.#looked.delete(id);
          if ((await this.#deps.jobs.observe(id)).state !== 'absent') await this.#deps.jobs.remove(id);
        }
      }
      const build = workId(rollout.id, 'build', each.service);
      this.#unbegun.delete(build);
      if (each.builds) await this.#deps.builder.remove(build);
    }
  }
}

/** Looking at a job costs reads; only the phases that have to do with it look. */
function kindsOf(rollout: Rollout): WorkKind[] {
  if (rollout.end === 'complete') return ['contract'];
  if (rollout.end !== null) return ['build', 'migrate', 'smoke', 'check'];
  switch (rollout.phase) {
    case 'building':
      return ['build'];
    case 'migrating':
      return ['migrate'];
    case 'verifying':
      return ['smoke', 'check'];
    case 'contracting':
      return ['contract'];
    case 'pending':
    case 'starting':
    case 'canary':
    case 'promoting':
    case 'watching':
    case 'complete':
      return [];
  }
}

function toWork(job: JobObservation): Work {
  switch (job.state) {
    case 'absent':
      return ABSENT;
    case 'running':
      return { state: 'running', detail: `pid ${job.pid}` };
    case 'unknown':
      return { state: 'unknown', detail: job.reason };
    case 'ended': {
      if (job.cancelled) return { state: 'failed', detail: 'it was cancelled' };
      if (job.exit === 0) return { state: 'done', detail: `${job.endedAt - job.startedAt} ms` };
      const how = job.signal === null ? `exit code ${job.exit}` : `signal ${job.signal}`;
      return {
        state: 'failed',
        detail: `${how}${job.tail === undefined || job.tail === '' ? '' : `; its last lines:\n${job.tail}`}`,
      };
    }
  }
}

const hasHttp = (checks: SmokeCheck[]): boolean => checks.some((each) => each.kind === 'http');
/** Several commands run one after the other; the first that fails ends them. */
const commandOf = (checks: SmokeCheck[]): string | null => {
  const commands = checks.flatMap((each) => (each.kind === 'command' ? [each.command] : []));
  return commands.length === 0 ? null : commands.map((each) => `( ${each} )`).join(' && ');
};
