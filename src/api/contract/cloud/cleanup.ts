import { z } from 'zod';
import { common } from './resource.ts';

const subject = {
  address: common.address,
  kind: z.string(),
  name: z.string(),
  /** Kind, size and age in words. */
  description: z.string(),
};

const cleanupItemSchema = z.object({
  ...subject,
  /** evenkeel made it for this environment; false: it is here because everything was asked for. */
  own: z.boolean(),
  why: z.string(),
  /** It holds data, or may: then it is only deleted after its name was typed. Null: it does not. */
  protection: z.string().nullable(),
  /** What goes with it. */
  takes: z.array(common.address),
});

/** What a clean-up would delete. `evenkeel cloud cleanup --list --json` prints it and deletes nothing. */
export const cloudCleanupSchema = z.object({
  ...common.place,
  items: z.array(cleanupItemSchema),
  /** What stays, and why. */
  apart: z.array(
    z.object({
      ...subject,
      reason: z.string(),
      /** Whether `--all` would delete it. */
      withAll: z.boolean(),
    }),
  ),
  unknown: common.unknown,
});

export type CloudCleanup = z.infer<typeof cloudCleanupSchema>;
