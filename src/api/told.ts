import { TOLD_OF_PEOPLE } from './told-people.ts';
import { changedPaths } from '../domain/audit/changed-paths.ts';
import { closedServices } from '../engine/operations/maintenance.ts';
import { scaleOf } from '../engine/operations/scale.ts';
import type { ApiDeps } from './api-deps.ts';
import type { Checked } from './call.ts';
import type { ReplyOf } from './contract/client.ts';
import type { Scope } from './contract/common.ts';
import type { ChangingId } from './contract/paths.ts';
import type { RequestReply } from './contract/rollouts.ts';

/** What the audit keeps of an act. Whatever is here is read by whoever may look into the audit. */
export interface Telling<Id extends ChangingId> {
  /** What was asked for, beside where: no value that could be secret. */
  input(input: Checked<Id>, deps: ApiDeps): unknown;
  /** Of which organization it is, where the input names neither that nor a project. */
  organization?(input: Checked<Id>, deps: ApiDeps): Promise<string | null>;
  /** How it was, where that is cheap and says something. */
  before?(input: Checked<Id>, deps: ApiDeps): unknown;
  after?(reply: ReplyOf<Id>, input: Checked<Id>, deps: ApiDeps): unknown;
  /** Why a reply is no success. */
  refusal?(reply: ReplyOf<Id>): { code: string; failed: boolean } | null;
}

/** Every act has its place here: a new one is not audited by chance, with whatever is in it. */
export const TOLD: { readonly [Id in ChangingId]: Telling<Id> } = {
  stopServer: { input: (input) => input },
  restartEdge: {
    input: (input) => input,
    after: (reply) => reply,
    refusal: ({ ok }) => (ok ? null : { code: 'edge-not-replaced', failed: true }),
  },
  deploy: {
    async input({ definition, project, environment, ...rest }, deps) {
      return { ...rest, definition: await definitionTold(definition, { project, environment }, deps) };
    },
    before: serving,
    after: ({ rollout, message }) => ({ rollout, message }),
  },
  checkMigrations: {
    input: async ({ definition, ...scope }, deps) => ({ definition: await definitionTold(definition, scope, deps) }),
    after: ({ verdict, reason }) => ({ verdict, reason }),
  },
  promoteReleases: {
    input: ({ project: _, environment: _e, ...rest }) => rest,
    before: serving,
    after: ({ rollout, message }) => ({ rollout, message }),
  },
  rollback: {
    input: ({ project: _, environment: _e, ...rest }) => rest,
    before: serving,
    after: ({ rollout, message }) => ({ rollout, message }),
  },
  restart: {
    input: ({ services }) => ({ services }),
    before: serving,
    after: ({ rollout, message }) => ({ rollout, message }),
  },
  down: {
    input: () => ({}),
    async before(scope, deps) {
      const record = await deps.engine.reads.environment(scope.project, scope.environment);
      return { wanted: record?.wanted ?? null, ...(await serving(scope, deps)) };
    },
    after: ({ stopped }) => ({ wanted: 'down', stopped }),
  },
  setMaintenance: {
    input: ({ on, services }) => ({ on, services }),
    async before({ project, environment }, { engine }) {
      const record = await engine.reads.environment(project, environment);
      return record === null ? null : { closed: closedServices(record).services };
    },
    after: ({ services }) => ({ closed: services }),
  },
  steerRollout: {
    input: ({ rollout: _, ...rest }) => rest,
    before: whereRolloutIs,
    after: whatCameOfIt,
    refusal: refusedBy,
  },
  answerApproval: {
    input: ({ rollout: _, ...rest }) => rest,
    before: whereRolloutIs,
    after: whatCameOfIt,
    refusal: refusedBy,
  },
  startRun: { input: () => ({}), after: ({ dueAt, state }) => ({ dueAt, state }) },
  cancelRun: { input: () => ({}), after: ({ dueAt, state }) => ({ dueAt, state }) },
  setScale: {
    input: ({ bounds }) => ({ bounds }),
    before: async ({ bounds: _, ...service }, { engine }) => sizeTold(await scaleOf(engine, service)),
    after: sizeTold,
  },
  setSecrets: {
    input: ({ secrets }) => ({ names: Object.keys(secrets) }),
    before: ({ secrets, ...scope }, deps) => versionsOf(Object.keys(secrets), scope, deps),
    after: async ({ changed, unchanged, behind }, { secrets, ...scope }, deps) => ({
      changed,
      unchanged,
      behind,
      ...(await versionsOf(Object.keys(secrets), scope, deps)),
    }),
  },
  removeSecret: {
    input: ({ name }) => ({ name }),
    before: ({ name, ...scope }, deps) => versionsOf([name], scope, deps),
    after: ({ removed }) => ({ removed }),
  },
  ...TOLD_OF_PEOPLE,
  signIn: { input: ({ login }) => ({ login }), after: ({ state }) => ({ state }) },
  giveCode: { input: () => ({}), after: ({ state }) => ({ state }) },
  openLink: { input: () => ({}), after: ({ state }) => ({ state }) },
  signOut: { input: () => ({}) },
  setPassword: { input: () => ({}), after: (reply) => reply },
  beginSecondFactor: { input: () => ({}) },
  confirmSecondFactor: { input: () => ({}) },
  removeSecondFactor: { input: () => ({}) },
  unlinkAccount: { input: ({ issuer, subject }) => ({ issuer, subject }), after: (reply) => reply },
  endSession: { input: ({ session }) => ({ session }), after: (reply) => reply },
  createSignInLink: {
    input: ({ login }) => ({ login: login ?? null }),
    after: ({ login, expiresAt, created }) => ({ login, expiresAt, created }),
  },
};

/** By its digest, and where it differs from what was there before; its values may be anything. */
async function definitionTold(definition: unknown, { project, environment }: Scope, { engine }: ApiDeps) {
  const record = await engine.reads.environment(project, environment).catch(() => null);
  // JSON leaves out what is undefined, as the store does.
  const before: unknown = record === null ? null : JSON.parse(JSON.stringify(record.config));
  return { digest: engine.deps.digest(JSON.stringify(definition)), changed: changedPaths(before, definition) };
}

async function serving({ project, environment }: Scope, { engine }: ApiDeps) {
  const deployments = await engine.reads.deployments(project, environment);
  return { serving: deployments.map(({ current }) => current).filter((release) => release !== null) };
}

async function whereRolloutIs({ rollout: id }: { rollout: string }, { engine }: ApiDeps) {
  const rollout = await engine.reads.rollout(id);
  return rollout === null ? null : { phase: rollout.phase, paused: rollout.paused?.reason ?? null };
}

function whatCameOfIt({ phase, end, paused, answer, unwritten }: RequestReply) {
  const reason = answer?.reason ?? unwritten?.message ?? null;
  return { phase, end, paused: paused?.reason ?? null, reason };
}

function refusedBy({ answer }: RequestReply) {
  const code = answer?.refused ?? null;
  return code === null ? null : { code, failed: false };
}

function sizeTold({ instances, bounds, setBy }: { instances: number; bounds: unknown; setBy: string | null }) {
  return { instances, bounds, setBy };
}

async function versionsOf(names: readonly string[], scope: Scope, { engine }: ApiDeps) {
  const known = await engine.deps.secrets.list(scope);
  return {
    versions: Object.fromEntries(
      known.filter(({ name }) => names.includes(name)).map(({ name, version }) => [name, version]),
    ),
  };
}
