import type { Signs } from '../../domain/cloud/cleanup/production.ts';
import type { CloudConfig } from '../../domain/cloud/config.ts';
import type { Project } from '../../domain/project/project.ts';
import type { ImageBuilder } from '../../ports/cloud-build.ts';
import type { Cloud } from '../../ports/cloud.ts';

/** What a desk works with: one environment of one project, and the provider. */
export interface DeskDeps {
  cloud: Cloud;
  project: Project;
  config: CloudConfig;
  /** Wall time, ms. */
  now(): number;
  builder: ImageBuilder;
  /** Writes a key of an account to a file of its owner, once. */
  writeKey(account: string, file: string, signal: AbortSignal): Promise<'written' | 'kept'>;
  /** Asks an address as a visitor would, or proves who asks to a service that is not public. */
  ask(url: string, options: { public: boolean; signal: AbortSignal }): Promise<Answered>;
}

export interface Answered {
  ok: boolean;
  /** Such as `GET https://…/health`. */
  asked: string;
  /** Such as `200 OK`, `503 Service Unavailable: database is away`. */
  answered: string;
}

export interface Scope {
  project: string;
  environment: string;
}

export const scopeOf = ({ project }: Pick<DeskDeps, 'project'>): Scope => ({
  project: project.name,
  environment: project.environment.name,
});

/** What every document begins with. */
export const placeOf = (deps: Pick<DeskDeps, 'project' | 'config'>) => ({
  ...scopeOf(deps),
  cloudProject: deps.config.project,
  region: deps.config.region,
});

/**
 * Each kind's, ms. A person waits for a status, and has it within three seconds whatever hangs (`observe` gives a driver
 * half a second more); what a list lacks may cost; a bill is asked of a
 * database that may have to read for long; what set-up does not see stops it, so it may take its time.
 */
export const LOOK_MS = { status: 2_400, list: 8_000, bill: 30_000, plan: 60_000 } as const;

/** By which it is known whether this is production. */
export const signsOf = ({ project: { environment }, config }: DeskDeps): Signs => ({
  name: environment.name,
  approvals: environment.approve.people,
  protectedDatabase: config.database?.deletionProtection === true,
});
