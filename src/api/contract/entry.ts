import { z } from 'zod';

/** What the edge lets in, as clients of the API ask for it and see it. */

const name = z.string().min(1);

export const maintenanceRequestSchema = z.object({
  project: name,
  environment: name,
  on: z.boolean(),
  /** Null: all. */
  services: z.array(name).nullable(),
  by: name,
});

/** Services that are closed for maintenance. */
export const closedSchema = z.object({
  services: z.array(name),
  /** Who switched it; null: the file says so. */
  by: z.string().nullable(),
  /** Wall time, ms; null when the file says so. */
  since: z.number().nullable(),
});

export type MaintenanceRequest = z.infer<typeof maintenanceRequestSchema>;
export type MaintenanceReply = z.infer<typeof closedSchema>;
