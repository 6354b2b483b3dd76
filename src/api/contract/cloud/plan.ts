import { z } from 'zod';
import { common, stateSchema } from './resource.ts';

const planLineSchema = z.object({
  address: common.address,
  kind: z.string(),
  name: z.string(),
  /** `unmanaged`: it is there and in no file, and is left alone. `unknown`: its kind could not be looked at. */
  action: z.enum(['create', 'update', 'replace', 'keep', 'unmanaged', 'unknown']),
  /** How it is now. A service that is `missing` comes with a deploy, and not with set-up. */
  state: stateSchema,
  /** It is there, and bears evenkeel's labels for this project and environment. */
  own: z.boolean(),
  /** Why, where that says more than the action does. */
  reason: z.string().nullable(),
  differences: z.array(
    z.object({
      attribute: z.string(),
      /** Null on what is created. */
      from: z.unknown(),
      to: z.unknown(),
      /** Why it cannot be changed on the one that is there; null: it can. */
      why: z.string().nullable(),
    }),
  ),
  /** What it costs a month once this is done; null: not known of what is not declared. */
  monthly: common.price.nullable(),
});

/** `evenkeel cloud plan --json`. */
export const cloudPlanSchema = z.object({
  ...common.place,
  lines: z.array(planLineSchema),
  /** How many lines would change something. */
  changes: z.number().int(),
  /** What the file asks for and nobody can do: nothing is changed until it says otherwise. */
  impossible: z.array(z.object({ address: common.address, reason: z.string() })),
  /** What replacing would lose for good: addresses. */
  losing: z.array(common.address),
  monthly: z.object({
    /** Of all that is declared, once it is there. */
    total: common.price,
    /** Of what is there of it already. */
    now: common.price,
    /** Month of the list prices, `2026-11`. */
    pricesOf: z.string(),
    /** What is in no price: traffic, requests beyond the free ones. */
    leavesOut: z.array(z.string()),
  }),
  /** Secrets that services need and that have no value. */
  secretsWithoutValue: z.array(z.string()),
  unknown: common.unknown,
});

export type CloudPlan = z.infer<typeof cloudPlanSchema>;
export type CloudPlanLine = z.infer<typeof planLineSchema>;
