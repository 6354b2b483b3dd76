import { z } from 'zod';
import { readTextIfThere } from '../../platform/read-json.ts';
import { EvenkeelError } from '../../ports/errors.ts';

/** Of what was written before values had versions. */
const UNVERSIONED = '0';

const entry = z.object({
  project: z.string(),
  environment: z.string(),
  name: z.string(),
  updatedAt: z.number().int(),
  setBy: z.string().nullable().default(null),
  version: z.string().default(UNVERSIONED),
  sealed: z.string(),
});

const schema = z.object({
  version: z.literal(1),
  /** Of the key that all values are sealed with. */
  key: z.string(),
  secrets: z.array(entry),
  /** Values that were replaced, and that releases may still need. */
  former: z.array(entry).default([]),
});

export type SecretsFile = z.infer<typeof schema>;
export type SecretEntry = z.infer<typeof entry>;

/** What a value is sealed for. One that was written before values had versions is bound to none. */
export function placeOf({ project, environment, name, version }: Omit<SecretEntry, 'sealed' | 'updatedAt' | 'setBy'>): {
  project: string;
  environment: string;
  name: string;
  version: string | null;
} {
  return { project, environment, name, version: version === UNVERSIONED ? null : version };
}

/** Null when there is no such file. Throws `secrets-unreadable` when it is damaged. */
export async function readSecretsFile(path: string): Promise<SecretsFile | null> {
  const text = await readTextIfThere(path);
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw secretsUnreadable(
    path,
    'it is damaged',
    `Put ${path} back from a backup; or remove it and set all secrets again.`,
  );
}

export function secretsUnreadable(path: string, why: string, next: string): EvenkeelError {
  return new EvenkeelError({
    code: 'secrets-unreadable',
    what: 'The secrets cannot be read.',
    where: path,
    why,
    next,
  });
}
