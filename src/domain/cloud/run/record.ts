import { z } from 'zod';
import { type EdgeService, edgeServiceSchema } from '../../traffic/protocol.ts';
import type { RunService } from './api.ts';

/**
 * What evenkeel writes onto a service on Cloud Run about itself: which of its revisions are instances, what the traffic
 * was told last and by whom. It changes in one request together with what it speaks of, so neither a crash nor another
 * controller can part the two.
 */
export interface ServiceRecord {
  /** Highest fence of a controller that has told its traffic anything. */
  fence: number;
  /** By the name of the revision. */
  instances: Record<string, InstanceRecord>;
  /** As it was applied last; null: never. */
  table: EdgeService | null;
  /** How the split changed since it began; empty outside a rollout. */
  splits: SplitRecord;
}

export interface InstanceRecord {
  id: string;
  service: string;
  release: string;
  index: number;
  generation: number;
  /** Wall time of its start, ms. */
  at: number;
  /** Wall time at which it was asked to stop, ms. */
  stopped?: number | undefined;
  port: number;
  tag: string;
  public: boolean;
  image: string;
}

export interface SplitRecord {
  rollout: string;
  /** From when on the canary had how many percent. */
  since: { at: number; weight: number }[];
}

export const NO_SPLITS: SplitRecord = { rollout: '', since: [] };

const KEYS = {
  fence: 'evenkeel-fence',
  instances: 'evenkeel-instances',
  table: 'evenkeel-table',
  splits: 'evenkeel-splits',
} as const;

const fenceSchema = z.number().int().nonnegative();

const instanceSchema = z.object({
  id: z.string(),
  service: z.string(),
  release: z.string(),
  index: z.number(),
  generation: z.number(),
  at: z.number(),
  stopped: z.number().optional(),
  port: z.number(),
  tag: z.string(),
  public: z.boolean(),
  image: z.string(),
});

const instancesSchema = z.record(z.string(), instanceSchema);

const tableSchema = edgeServiceSchema.nullable();

const splitsSchema = z.object({
  rollout: z.string(),
  since: z.array(z.object({ at: z.number(), weight: z.number() })),
});

/** All that `readRecord` reads, as it is written: equal texts are equal records. */
export const recordText = ({ annotations = {} }: Pick<RunService, 'annotations'>): string =>
  JSON.stringify(Object.values(KEYS).map((key) => annotations[key] ?? null));

/** What cannot be read (a person's hand, an older evenkeel) counts as not there: what it says is worked out again. */
export function readRecord({ annotations = {} }: Pick<RunService, 'annotations'>): ServiceRecord {
  const read = <T>(key: string, schema: z.ZodType<T>, otherwise: T): T => {
    const parsed = schema.safeParse(parse(annotations[key]));
    return parsed.success ? parsed.data : otherwise;
  };
  return {
    fence: read(KEYS.fence, fenceSchema, 0),
    instances: read<Record<string, InstanceRecord>>(KEYS.instances, instancesSchema, {}),
    table: read<EdgeService | null>(KEYS.table, tableSchema, null),
    splits: read<SplitRecord>(KEYS.splits, splitsSchema, NO_SPLITS),
  };
}

/** The annotations of a service with this record in them; others' stay as they are. */
export const withRecord = (
  { annotations = {} }: Pick<RunService, 'annotations'>,
  record: ServiceRecord,
): Record<string, string> => ({
  ...annotations,
  [KEYS.fence]: String(record.fence),
  [KEYS.instances]: JSON.stringify(record.instances),
  [KEYS.table]: JSON.stringify(record.table),
  [KEYS.splits]: JSON.stringify(record.splits),
});

function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
