import { z } from 'zod';

/** What the edge lets in, as it lies in the store; see `EntryConfig`. */

const routePolicy = z.strictObject({
  allow: z.array(z.string()).nullable(),
  deny: z.array(z.string()),
  basicAuth: z
    .strictObject({
      realm: z.string(),
      users: z.array(z.strictObject({ name: z.string(), secret: z.string() })),
      passOn: z.boolean(),
    })
    .nullable(),
  forwardAuth: z
    .strictObject({
      to: z.union([z.strictObject({ service: z.string(), path: z.string() }), z.strictObject({ url: z.string() })]),
      headers: z.array(z.string()),
      timeoutMs: z.number(),
    })
    .nullable(),
  rate: z
    .strictObject({
      requests: z.number(),
      perMs: z.number(),
      burst: z.number(),
      by: z.enum(['client', 'all']),
    })
    .nullable(),
  maxBody: z.number().nullable(),
});

const maintenance = z.strictObject({
  on: z.boolean(),
  page: z.string().nullable(),
  retryAfterMs: z.number(),
  allow: z.array(z.string()),
});

const pages = z.record(z.string(), z.string());

export const entrySchema = z.strictObject({
  trustedProxies: z.array(z.string()),
  accessLog: z.strictObject({ sample: z.number(), slowMs: z.number(), query: z.boolean() }).nullable(),
  maintenance: maintenance.nullable(),
  pages,
  services: z.array(
    z.strictObject({
      service: z.string(),
      policy: routePolicy,
      routes: z.array(z.strictObject({ host: z.string().nullable(), path: z.string(), policy: routePolicy })),
      maintenance: maintenance.nullable(),
      pages,
    }),
  ),
});
