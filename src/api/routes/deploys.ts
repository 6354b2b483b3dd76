import { refuseForeignFiles, refuseSharedAccounts } from '../../engine/access/isolation.ts';
import { examineMigrations } from '../../engine/migrations.ts';
import { storeAway } from '../../engine/emergency/away-store.ts';
import { type Begun, deploy } from '../../engine/operations/deploy.ts';
import { down } from '../../engine/operations/down.ts';
import { promoteReleases } from '../../engine/operations/promote-releases.ts';
import { restart } from '../../engine/operations/restart.ts';
import { rollback } from '../../engine/operations/rollback.ts';
import { humanOf, type Identity } from '../../domain/access/identity.ts';
import type { Project, ServiceConfig } from '../../domain/project/project.ts';
import { strayIn } from '../../domain/project/stray.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';
import type { Scope } from '../contract/common.ts';
import type { DeployReply } from '../contract/deploys.ts';
import { environmentUnknown } from './overview.ts';

type Mine = 'deploy' | 'checkMigrations' | 'promoteReleases' | 'rollback' | 'restart' | 'down';

export function deployHandlers(deps: ApiDeps): Pick<Handlers, Mine> {
  const { engine, parseProject } = deps;
  const isolation = { access: deps.access, accounts: deps.accounts, store: engine.deps.store };
  const apart = (who: Identity, scope: Scope, configs: readonly ServiceConfig[]): Promise<void> =>
    refuseSharedAccounts(isolation, who, scope, configs);
  return {
    async deploy({ definition, project, environment, ...input }, { who }) {
      requireStore();
      const defined = definedFor(definition, { project, environment });
      await apart(who, { project, environment }, defined.services);
      await refuseForeignFiles(isolation, who, defined);
      return replyOf(await deploy(engine, { ...input, project: defined, by: who.name, human: humanOf(who) }));
    },

    async checkMigrations({ definition, ...scope }, { who }) {
      const defined = definedFor(definition, scope);
      await refuseForeignFiles(isolation, who, defined);
      const serving = await engine.deps.store.deployments(scope.project, scope.environment);
      const { reports, verdict } = await examineMigrations(engine.deps, defined, defined.services, serving);
      return { ...verdict, reports };
    },

    async promoteReleases({ from, ...input }, call) {
      requireStore();
      // Whoever may deploy here need not know what another environment has.
      if (!call.may('environment:read', { project: input.project, environment: from }))
        throw environmentUnknown(input.project, from);
      const there = await engine.deps.store.environment(input.project, input.environment);
      await apart(call.who, input, there?.config.services ?? []);
      return replyOf(await promoteReleases(engine, { ...input, from, by: call.who.name, human: humanOf(call.who) }));
    },
    async rollback(input, { who }) {
      const vet = (configs: readonly ServiceConfig[]): Promise<void> => apart(who, input, configs);
      return replyOf(await rollback(engine, { ...input, by: who.name, vet }));
    },

    async restart(input, { who }) {
      requireStore();
      return replyOf(await restart(engine, { ...input, by: who.name }));
    },

    async down(scope, { who }) {
      requireStore();
      const { stopped } = await down(engine, { ...scope, by: who.name });
      return {
        stopped,
        message: `${stopped} ${stopped === 1 ? 'instance' : 'instances'} stopped; releases, data and history stay`,
      };
    },
  };

  /** Whoever was let into one environment shall not reach another one by what a definition says. */
  function definedFor(definition: unknown, scope: Scope): Project {
    const defined = parseProject(definition);
    const stray = strayIn(defined);
    if (stray !== null)
      throw new EvenkeelError({ code: 'bad-request', what: 'the definition cannot be taken', why: stray });
    if (defined.name === scope.project && defined.environment.name === scope.environment) return defined;
    throw new EvenkeelError({
      code: 'bad-request',
      what: `the definition is of ${defined.environment.name} of ${defined.name}, not of ${scope.environment} of ${scope.project}`,
    });
  }

  /** What is known of before must not be mistaken for what is: whoever begins something waits for the store. */
  function requireStore(): void {
    if (engine.deps.emergency.awaySince !== null) throw storeAway();
  }
}

const replyOf = ({ rollout, message, migrations = [], unwritten }: Begun): DeployReply => ({
  rollout: rollout?.id ?? null,
  message,
  migrations,
  ...(unwritten === undefined ? {} : { unwritten }),
});
