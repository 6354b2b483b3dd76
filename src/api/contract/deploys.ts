import { z } from 'zod';
import { name, part, scopeSchema } from './common.ts';
import { migrationReportSchema } from './migrations.ts';
import { operation } from './operation.ts';
import { unwrittenSchema } from './server.ts';

/** What changes an environment as a whole, or several of its services. */

/** The project as it is to be: what `evenkeel.yaml` and its environment files come to (domain/project Project). */
const definition = z.record(z.string(), z.unknown());

const deployReplySchema = z
  .object({
    /** Null: nothing had to be done. */
    rollout: z.string().nullable(),
    /** In words: what was begun, or why nothing was. */
    message: z.string(),
    /** The store was away: whether the edge has taken it back all the same. */
    unwritten: unwrittenSchema.pick({ done: true }).optional(),
    /** What was found in the new migrations; absent or empty where none are run. */
    migrations: z.array(migrationReportSchema).optional(),
  })
  .meta({ id: 'Begun' });

export const deployOperations = {
  deploy: operation({
    summary: 'Begin a rollout of the services of a project',
    permission: 'environment:deploy',
    input: scopeSchema.extend({
      definition,
      /** Null: every service of the file. */
      services: z.array(part).nullable().default(null),
      /** `up`: only services that are new, changed or not running; nothing changed is an answer. */
      onlyChanged: z.boolean().default(false),
      label: z.string().max(200).nullable().default(null),
      /** Abort what is under way for these services first. */
      replace: z.boolean().default(false),
      keepFailed: z.boolean().nullable().default(null),
      allowBreakingMigrations: z.boolean().default(false),
      /** To which organization a new project shall belong, where it could be several. */
      inOrganization: name.optional(),
    }),
    reply: deployReplySchema,
  }),
  checkMigrations: operation({
    summary: 'What a deploy of this project would find in its new migrations',
    permission: 'environment:deploy',
    input: scopeSchema.extend({ definition }),
    reply: z.object({
      verdict: z.enum(['clear', 'warn', 'refuse']),
      reason: z.string(),
      reports: z.array(migrationReportSchema),
    }),
  }),
  promoteReleases: operation({
    summary: 'Roll out what serves in another environment: the same files, with the configuration of this one',
    permission: 'environment:deploy',
    input: scopeSchema.extend({
      /** Where it serves now. */
      from: part,
      /** Null: every service. */
      services: z.array(part).min(1).nullable().default(null),
      /** Although a build has read values that are others here: its files hold none of them. */
      acceptBuild: z.boolean().default(false),
      comment: z.string().max(2000).nullable().default(null),
    }),
    reply: deployReplySchema,
  }),
  rollback: operation({
    summary: 'Take services back to a release that served before',
    permission: 'rollout:steer',
    input: scopeSchema.extend({
      /** Null with `all`: every service of the last rollout. */
      service: part.nullable().default(null),
      all: z.boolean().default(false),
      /** A release such as `api@41`, or a label; null: the former one. */
      to: name.nullable().default(null),
      comment: z.string().max(2000).nullable().default(null),
    }),
    reply: deployReplySchema,
  }),
  restart: operation({
    summary: 'Replace the instances of services, by a rollout of the release that serves',
    permission: 'environment:operate',
    input: scopeSchema.extend({ services: z.array(part).min(1) }),
    reply: deployReplySchema,
  }),
  down: operation({
    summary: 'Stop everything of an environment; releases, data and history stay',
    permission: 'environment:operate',
    input: scopeSchema,
    reply: z.object({ message: z.string(), stopped: z.number().int() }),
  }),
};

export type DeployRequest = z.input<typeof deployOperations.deploy.input>;
export type DeployReply = z.infer<typeof deployReplySchema>;
export type MigrationsReply = z.infer<typeof deployOperations.checkMigrations.reply>;
