import { z } from 'zod';
import { common, stateSchema } from './resource.ts';

/** `evenkeel cloud status --json`: what the file asks for, as it is. */
export const cloudStatusSchema = z.object({
  ...common.place,
  at: z.number(),
  /** How long the look took, ms. */
  ms: z.number(),
  resources: z.array(
    z.object({
      address: common.address,
      kind: z.string(),
      name: z.string(),
      state: stateSchema,
      /** What is not as the file says: attributes. */
      differs: z.array(z.string()),
      /** Of a secret that has none. */
      withoutValue: z.boolean(),
      url: z.string().nullable(),
      problem: z.string().nullable(),
      /** The state as people read it, such as `not deployed yet`, `ready, without a value`. */
      words: z.string(),
      /** The command to type; null: none is needed. */
      next: z.string().nullable(),
    }),
  ),
  counts: z.record(stateSchema, z.number().int()),
  /** How many of the file's are there; null: not known. */
  alertPolicies: z.number().int().nullable(),
  /** `well` only if everything was seen, is there, is ready and as the file says. */
  level: z.enum(['well', 'attention', 'failed', 'unknown']),
  /** Why, in a sentence with the numbers. */
  reason: z.string(),
  unknown: common.unknown,
});

/** `evenkeel cloud list --json`: everything that is there, whoever made it. */
export const cloudListSchema = z.object({
  ...common.place,
  resources: z.array(
    z.object({
      address: common.address,
      kind: z.string(),
      name: z.string(),
      location: z.string().nullable(),
      state: stateSchema,
      /** `ours`: of this project and environment; `elsewhere`: evenkeel's, of another; `foreign`: of nobody we know. */
      owner: z.enum(['ours', 'elsewhere', 'foreign']),
      /** `project/environment` when it is evenkeel's. */
      belongsTo: z.string().nullable(),
      createdAt: z.number().nullable(),
      bytes: z.number().nullable(),
      objects: z.number().nullable(),
      url: z.string().nullable(),
    }),
  ),
  unknown: common.unknown,
});

/** `evenkeel cloud urls --json`. */
export const cloudUrlsSchema = z.object({
  ...common.place,
  services: z.array(
    z.object({
      service: z.string(),
      name: z.string(),
      /** By which the others know it. */
      variable: z.string(),
      url: z.string().nullable(),
      /** What was asked and answered; null with `--no-check`, or where nothing can be asked. */
      check: z.object({ ok: z.boolean(), asked: z.string(), answered: z.string() }).nullable(),
    }),
  ),
  /** The environment file that was written, and what changed in it. */
  file: z.object({ path: z.string(), changed: z.array(z.string()) }).nullable(),
});

const amount = { amount: z.number(), text: z.string() };

/** `evenkeel cloud cost --json`. */
export const cloudCostSchema = z.object({
  ...common.place,
  estimate: z.object({
    total: common.price,
    pricesOf: z.string(),
    lines: z.array(
      z.object({ address: common.address, monthly: common.price, actual: z.string().nullable(), basis: z.string() }),
    ),
    leavesOut: z.array(z.string()),
  }),
  /** Billed for the cloud project in this month, credits taken off; null: not known, and `actualProblem` says why. */
  actual: z
    .object({
      /** That of the bill, by Google's time: `2026-11`. */
      month: z.string(),
      total: z.number(),
      /** As people read it; the texts below add up to it. */
      text: z.string(),
      currency: z.string(),
      /** What credits took off: zero or below. */
      credits: z.number(),
      /** End of the last use that is in it, wall time, ms. */
      until: z.number(),
      parts: z.array(z.object({ address: common.address, ...amount })),
      /** What is of no one resource: of this environment, of another one that evenkeel looks after, or of nobody it knows. */
      rest: z.array(z.object({ of: z.enum(['environment', 'elsewhere', 'nobody']), what: z.string(), ...amount })),
    })
    .nullable(),
  actualProblem: common.problem.nullable(),
  budget: z
    .object({
      amount: z.number(),
      currency: z.string(),
      /** Percent at which the owners of the billing account are told. */
      thresholds: z.array(z.number()),
      /** Null: it could not be looked at. */
      exists: z.boolean().nullable(),
      level: z.enum(['within', 'near', 'over', 'unknown']),
      reason: z.string(),
    })
    .nullable(),
});

export type CloudStatus = z.infer<typeof cloudStatusSchema>;
export type CloudList = z.infer<typeof cloudListSchema>;
export type CloudUrls = z.infer<typeof cloudUrlsSchema>;
export type CloudCost = z.infer<typeof cloudCostSchema>;
export type CloudState = z.infer<typeof stateSchema>;
