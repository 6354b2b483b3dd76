import type { CommandSpec } from './command.ts';

type Load = () => Promise<CommandSpec>;

/** Every verb, in the order and groups in which a newcomer meets them. A command's file is only read when it is used. */
export const GROUPS: readonly { title: string; verbs: Readonly<Record<string, Load>> }[] = [
  {
    title: 'Begin',
    verbs: {
      init: async () => (await import('./commands/init.ts')).init,
      check: async () => (await import('./commands/check.ts')).check,
      dev: async () => (await import('./commands/dev.ts')).dev,
      up: async () => (await import('./commands/up.ts')).up,
      down: async () => (await import('./commands/down.ts')).down,
      demo: async () => (await import('./commands/demo.ts')).demo,
    },
  },
  {
    title: 'Ship',
    verbs: {
      deploy: async () => (await import('./commands/deploy.ts')).deploy,
      watch: async () => (await import('./commands/watch.ts')).watch,
      promote: async () => (await import('./commands/promote.ts')).promote,
      pause: async () => (await import('./commands/pause.ts')).pause,
      resume: async () => (await import('./commands/resume.ts')).resume,
      approve: async () => (await import('./commands/approve.ts')).approve,
      reject: async () => (await import('./commands/reject.ts')).reject,
      abort: async () => (await import('./commands/abort.ts')).abort,
      rollback: async () => (await import('./commands/rollback.ts')).rollback,
    },
  },
  {
    title: 'Look',
    verbs: {
      dashboard: async () => (await import('./commands/dashboard.ts')).dashboard,
      status: async () => (await import('./commands/status.ts')).status,
      logs: async () => (await import('./commands/logs.ts')).logs,
      rollouts: async () => (await import('./commands/rollouts.ts')).rollouts,
      releases: async () => (await import('./commands/releases.ts')).releases,
      audit: async () => (await import('./commands/audit.ts')).audit,
    },
  },
  {
    title: 'Run',
    verbs: {
      run: async () => (await import('./commands/run.ts')).run,
      scale: async () => (await import('./commands/scale.ts')).scale,
      restart: async () => (await import('./commands/restart.ts')).restart,
      maintenance: async () => (await import('./commands/maintenance.ts')).maintenance,
      secrets: async () => (await import('./commands/secrets.ts')).secrets,
      server: async () => (await import('./commands/server.ts')).server,
      cloud: async () => (await import('./commands/cloud.ts')).cloud,
      doctor: async () => (await import('./commands/doctor.ts')).doctor,
    },
  },
  {
    title: 'Let in',
    verbs: {
      people: async () => (await import('./commands/people.ts')).people,
      roles: async () => (await import('./commands/roles.ts')).roles,
      tokens: async () => (await import('./commands/tokens.ts')).tokens,
      organizations: async () => (await import('./commands/organizations.ts')).organizations,
    },
  },
];

export const VERBS: ReadonlyMap<string, Load> = new Map(GROUPS.flatMap(({ verbs }) => Object.entries(verbs)));
