import type { Google } from '../google.ts';
import { ifThere, type KindDriver, type Seen } from '../kind-driver.ts';

interface LogBucket {
  name?: string;
  retentionDays?: number;
  locked?: boolean;
}

/** Days that Google keeps logs when nobody asks for more. */
const DEFAULT_DAYS = 30;
const NAME = '_Default';

const urlOf = (google: Google): string =>
  `https://logging.googleapis.com/v2/projects/${google.scope.cloudProject}/locations/global/buckets/${NAME}`;

const seenOf = ({ retentionDays }: LogBucket, name: string): Seen<'log-retention'> => ({
  kind: 'log-retention',
  name,
  location: null,
  attributes: { days: retentionDays ?? DEFAULT_DAYS },
  labels: {},
  state: 'ready',
  createdAt: null,
});

const set = (google: Google, days: number, signal: AbortSignal): Promise<LogBucket> =>
  google.http.request<LogBucket>('PATCH', urlOf(google), {
    query: { updateMask: 'retentionDays' },
    body: { retentionDays: days },
    signal,
  });

export const logRetention: KindDriver<'log-retention'> = {
  async observe({ google, signal }) {
    const bucket = await ifThere(() => google.http.request<LogBucket>('GET', urlOf(google), { signal }));
    return bucket === null ? [] : [seenOf(bucket, NAME)];
  },
  async create(wanted, { google, signal, say }) {
    say('setting');
    return seenOf(await set(google, wanted.attributes.days, signal), wanted.name);
  },
  update: (wanted, _seen, work) => logRetention.create(wanted, work),
  async remove(_gone, { google, signal, say }) {
    say(`setting back to ${DEFAULT_DAYS} days`);
    await set(google, DEFAULT_DAYS, signal);
  },
};
