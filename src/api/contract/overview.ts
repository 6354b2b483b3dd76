import { z } from 'zod';
import { CONCERNS } from '../../domain/overview/concerns.ts';
import { ASPECTS } from '../../domain/overview/judge.ts';
import { STATES } from '../../domain/overview/state.ts';
import { ROLES } from '../../domain/project/objectives.ts';
import { name, time } from './common.ts';
import { operation } from './operation.ts';
import { rolloutViewSchema } from './rollouts.ts';

/** Null wherever nothing was seen. Rates are requests a second, shares 0..1, latencies milliseconds to the first byte. */
const figure = z.number().nullable();

export const stateSchema = z.enum(STATES);

const levelsSchema = z.object({ warning: z.number(), critical: z.number() }).nullable();

/** From where on something is a warning or critical; null: nothing is wanted. */
export const objectivesSchema = z.object({
  errorRate: levelsSchema,
  p95Ms: levelsSchema,
  /** Share of the limit of one instance. */
  memory: levelsSchema,
  /** The least. */
  availability: figure,
});

const tileSchema = z.object({
  state: stateSchema,
  /** Of the last five minutes. */
  value: figure,
  /** The last hour by the minute, oldest first. */
  points: z.array(figure),
});

const rowSchema = z.object({
  project: name,
  environment: name,
  service: name,
  kind: z.enum(['http', 'static', 'worker']),
  role: z.enum(ROLES),
  state: stateSchema,
  /** Of each aspect; null: nothing is wanted of it, or it has none. */
  aspects: z.record(z.enum(ASPECTS), stateSchema.nullable()),
  health: z.enum(['healthy', 'degraded', 'down', 'stopped', 'unknown']),
  detail: z.string(),
  release: z.string().nullable(),
  label: z.string().nullable(),
  /** What brought the release that serves. Null: nothing serves, or it is too long ago. */
  lastDeploy: z.object({ at: time, by: z.string(), kind: z.enum(['deploy', 'rollback']), rollout: name }).nullable(),
  /** The one that is under way. */
  rollout: z.object({ id: name, phase: z.string(), paused: z.string().nullable() }).nullable(),
  /** Of the last five minutes. */
  recent: z.object({ requestsPerSecond: figure, errorRate: figure, averageMs: figure, p95Ms: figure }),
  /** Share of good requests of all that came within 24 hours. */
  availability: z.object({ share: figure, requests: z.number().int() }),
  /** Over 24 hours, oldest first. */
  p95: z.object({ points: z.array(figure) }),
  objectives: objectivesSchema,
});

const consumerSchema = z.object({
  project: name,
  environment: name,
  service: name,
  instance: z.string(),
  release: z.string(),
  /** Cores. */
  cpu: figure,
  /** Bytes. */
  memory: figure,
  cpuLimit: figure,
  memoryLimit: figure,
});

const underWaySchema = rolloutViewSchema
  .pick({
    id: true,
    project: true,
    environment: true,
    phase: true,
    paused: true,
    requestedBy: true,
    createdAt: true,
    nextAt: true,
  })
  .extend({
    /** Desired percent of the traffic on the new releases, now. */
    weight: z.number(),
    /** What it brings; empty: it takes down, or moves the port. */
    releases: z.array(z.string()),
  });

const overviewSchema = z
  .object({
    at: time,
    /** Where the points of curves lie: each begins `stepMs` after the one before. */
    hour: z.object({ from: time, stepMs: z.number().int() }),
    day: z.object({
      from: time,
      stepMs: z.number().int(),
      /** False: what is older is still being read. A `metrics` event says when it was. */
      complete: z.boolean(),
    }),
    tiles: z.object({
      services: z.object({
        state: stateSchema,
        healthy: z.number().int(),
        /** Without those that were brought down. */
        total: z.number().int(),
        unknown: z.number().int(),
        /** The fewest that were healthy in each minute in which somebody looked. */
        points: z.array(figure),
      }),
      rate: tileSchema,
      errorRate: tileSchema,
      averageMs: tileSchema,
      p95Ms: tileSchema,
    }),
    /** In words, the worst first. */
    warnings: z.array(
      z.object({
        state: z.enum(['warning', 'critical']),
        aspect: z.enum([...ASPECTS, ...CONCERNS]),
        /** Null: it is about evenkeel itself. */
        project: name.nullable(),
        environment: name.nullable(),
        /** Null: it is about no service alone. */
        service: name.nullable(),
        /** The rollout that waits for somebody. */
        rollout: name.nullable(),
        text: z.string(),
      }),
    ),
    /** Those that are under way. */
    rollouts: z.array(underWaySchema),
    services: z.array(rowSchema),
    top: z.object({ cpu: z.array(consumerSchema), memory: z.array(consumerSchema) }),
    /** Since when the store has not answered: what is of it is of before. Null: it answers. */
    storeAwaySince: time.nullable(),
  })
  .meta({ id: 'Overview' });

export const overviewOperations = {
  getOverview: operation({
    summary: 'How everything is that may be seen: tiles, warnings, each service, and what takes most',
    permission: 'environment:read',
    perItem: true,
    input: z.object({ project: name.optional(), environment: name.optional() }),
    reply: overviewSchema,
  }),
};

export type Overview = z.infer<typeof overviewSchema>;
export type OverviewRow = z.infer<typeof rowSchema>;
export type UnderWay = z.infer<typeof underWaySchema>;
