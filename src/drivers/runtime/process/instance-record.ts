import { join } from 'node:path';
import { z } from 'zod';
import { filesIn, readClaim, readIfThere, replaceFile } from './folder.ts';

/** What is kept about an instance beside its processes: never its environment, which holds secrets. */
const schema = z.object({
  id: z.string(),
  project: z.string(),
  environment: z.string(),
  service: z.string(),
  release: z.string(),
  index: z.number(),
  generation: z.number(),
  port: z.number().nullable(),
  log: z.string(),
  /** Of another user than evenkeel's own; null: as evenkeel itself. */
  uid: z.number().nullable().default(null),
  calls: z.array(z.number()).default([]),
  cgroups: z.array(z.string()),
  limits: z.object({ memory: z.boolean(), cpu: z.boolean(), why: z.string().nullable() }),
});
export type InstanceRecord = z.infer<typeof schema>;

/**
 * Each start writes a record of its own: when two start the same id at once, with different ports, the one whose
 * process claims the folder counts.
 */
export function writeInstanceRecord(folder: string, launch: string, record: InstanceRecord): void {
  replaceFile(join(folder, `instance.${launch}.json`), JSON.stringify(record));
}

/** Null when there is none, or none that can be read: then nothing was started there. */
export function readInstanceRecord(folder: string): InstanceRecord | null {
  const launch = readClaim(folder)?.launch;
  const anyone = () => [...filesIn(folder)].find((name) => /^instance\.\w+\.json$/.test(name));
  const name = launch ? `instance.${launch}.json` : anyone();
  if (name === undefined) return null;
  try {
    const text = readIfThere(join(folder, name));
    return text === null ? null : schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
