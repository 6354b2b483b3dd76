import { z } from 'zod';

/** What the edge lets in at a route, and what it says about it, as the controller tells the edge. Times in ms, sizes in bytes. */

const id = z.string().min(1);
/** Addresses or networks. */
const networks = z.array(z.string());

export const edgePolicySchema = z.object({
  /** Null: everybody. */
  allow: networks.nullable(),
  /** Goes before `allow`. */
  deny: networks,
  basicAuth: z
    .object({
      realm: z.string(),
      /** `hash`: as platform/password.ts makes it, or null for somebody who has no password and cannot get in. */
      users: z.array(z.object({ name: id, hash: id.nullable() })),
      /** Whether the service is shown the credentials. */
      passOn: z.boolean(),
    })
    .nullable(),
  forwardAuth: z
    .object({
      /** Null while whoever is to be asked has no address: nobody gets in. */
      url: id.nullable(),
      timeoutMs: z.number().int().positive(),
      /** Headers of its answer that the service gets, in lower case; never those of a client. */
      headers: z.array(id),
    })
    .nullable(),
  rate: z
    .object({
      requests: z.number().positive(),
      perMs: z.number().positive(),
      burst: z.number().int().positive(),
      /** One bucket for each client, or one for all of them. */
      by: z.enum(['client', 'all']),
    })
    .nullable(),
});

export const edgeMaintenanceSchema = z.object({
  /** Absolute path, or null for words of the edge. */
  page: id.nullable(),
  retryAfterS: z.number().int().nonnegative(),
  /** Who gets through all the same. */
  allow: networks,
});

export const edgeAccessLogSchema = z.object({
  /** Share of requests that are written, 0..1; failed and slow ones always are. */
  sample: z.number().min(0).max(1),
  slowMs: z.number().nonnegative(),
  /** Whether queries are written, without what looks private. */
  query: z.boolean(),
});

/** Absolute paths of HTML files, by status. */
export const edgePagesSchema = z.record(z.string(), z.string());

/** What holds for all public routes of a service; each absent in what older controllers say. */
export const edgeEntryFields = {
  /** Proxies whose `X-Forwarded-*` is believed, beside those of the edge itself. */
  trustedProxies: networks.optional(),
  /** Null or absent: it is open. */
  maintenance: edgeMaintenanceSchema.nullable().optional(),
  pages: edgePagesSchema.optional(),
  accessLog: edgeAccessLogSchema.nullable().optional(),
};

/** What holds for a route. */
export const edgeRouteFields = {
  policy: edgePolicySchema.optional(),
  /** Largest body of a request; absent: no limit. */
  maxBody: z.number().int().nonnegative().optional(),
};

export type EdgePolicy = z.infer<typeof edgePolicySchema>;
export type EdgeAccessLog = z.infer<typeof edgeAccessLogSchema>;
export type EdgePages = z.infer<typeof edgePagesSchema>;
