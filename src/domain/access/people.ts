import { z } from 'zod';
import { normalLogin } from './passwords.ts';

/**
 * By which somebody signs in: an e-mail address, or a short name. In the form in which it is stored. Nothing in it is
 * invisible: two people would have one name in the audit.
 */
export const loginSchema = z
  .string()
  .max(200)
  .transform(normalLogin)
  .pipe(
    z
      .string()
      .regex(
        /^[^\s\p{C}\p{Default_Ignorable_Code_Point}]{1,200}$/u,
        'without spaces or what cannot be seen, at most 200 characters',
      ),
  );

/** As others read it. */
export const personNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .refine((name) => !/\p{Cc}/u.test(name), 'no control characters');
