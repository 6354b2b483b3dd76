import { z } from 'zod';

/** Keeps projects, people and roles apart from those of all others. */
export interface Organization {
  readonly id: string;
  /** For people; unique. */
  readonly name: string;
  readonly createdAt: number;
}

/** There from the beginning: whoever needs only one never hears of them. It cannot be removed. */
export const DEFAULT_ORGANIZATION = 'default';

export const organizationNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(80)
  .refine((name) => !/\p{Cc}/u.test(name), 'no control characters');
