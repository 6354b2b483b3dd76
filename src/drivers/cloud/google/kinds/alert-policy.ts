import { looksFilter } from '../../../../domain/cloud/names.ts';
import type { Google } from '../google.ts';
import {
  allPages,
  ifThere,
  type KindDriver,
  labelsOf,
  type Seen,
  timeOf,
  type Wanted,
  type Work,
} from '../kind-driver.ts';
import { madeOnce } from '../shown-name.ts';
import { type Channel, channelsIn, channelsOf } from './alert-channel.ts';
import { MONITORING } from './uptime-check.ts';

interface Threshold {
  filter?: string;
  denominatorFilter?: string;
  thresholdValue?: number;
  duration?: string;
  [more: string]: unknown;
}

interface AlertPolicy {
  name?: string;
  displayName?: string;
  conditions?: { displayName?: string; conditionThreshold?: Threshold }[];
  userLabels?: Record<string, string>;
  enabled?: boolean;
  /** Google's names of them. */
  notificationChannels?: string[];
  creationRecord?: { mutateTime?: string };
}

type Attributes = Seen<'alert-policy'>['attributes'];

const SERVICE = 'evenkeel-service';
const CONDITION = 'evenkeel-condition';

const placeOf = ({ scope }: Google): string => `${MONITORING}/projects/${scope.cloudProject}/alertPolicies`;

const requests = (service: string): string =>
  `resource.type = "cloud_run_revision" AND resource.labels.service_name = "${service}" AND metric.type = "run.googleapis.com/request_count"`;

const summed = [
  {
    alignmentPeriod: '60s',
    perSeriesAligner: 'ALIGN_RATE',
    crossSeriesReducer: 'REDUCE_SUM',
    groupByFields: ['resource.labels.service_name'],
  },
];

/** What Cloud Monitoring has to see: a share of answers, p95 in ms, or failed looks from outside for so many seconds. */
function thresholdOf({ service, condition, threshold }: Attributes): Threshold {
  const common = { comparison: 'COMPARISON_GT', trigger: { count: 1 } };
  if (condition === 'errors')
    return {
      ...common,
      filter: `${requests(service)} AND metric.labels.response_code_class = "5xx"`,
      denominatorFilter: requests(service),
      aggregations: summed,
      denominatorAggregations: summed,
      thresholdValue: threshold,
      duration: '300s',
    };
  if (condition === 'latency')
    return {
      ...common,
      filter: requests(service).replace('request_count', 'request_latencies'),
      aggregations: [
        {
          alignmentPeriod: '60s',
          perSeriesAligner: 'ALIGN_DELTA',
          crossSeriesReducer: 'REDUCE_PERCENTILE_95',
          groupByFields: ['resource.labels.service_name'],
        },
      ],
      thresholdValue: threshold,
      duration: '300s',
    };
  return {
    ...common,
    filter: looksFilter(service),
    aggregations: [
      {
        alignmentPeriod: '1200s',
        perSeriesAligner: 'ALIGN_NEXT_OLDER',
        crossSeriesReducer: 'REDUCE_COUNT_FALSE',
        groupByFields: ['resource.labels.host'],
      },
    ],
    // From one place alone it may be that place's fault.
    thresholdValue: 1,
    duration: `${threshold}s`,
  };
}

/** Those that evenkeel made; whom else people want to tell is their business. */
const isOurs = ({ userLabels }: Channel): boolean => userLabels?.['evenkeel-project'] !== undefined;

function seenOf(policy: AlertPolicy, channels: readonly Channel[]): Seen<'alert-policy'> {
  const { [SERVICE]: service = '', [CONDITION]: condition = '', ...labels } = labelsOf(policy.userLabels);
  const threshold = policy.conditions?.[0]?.conditionThreshold;
  const seconds = Number.parseInt(threshold?.duration ?? '0', 10);
  return {
    kind: 'alert-policy',
    name: policy.displayName ?? '',
    location: null,
    attributes: {
      service,
      condition: condition === 'latency' || condition === 'down' ? condition : 'errors',
      threshold: condition === 'down' ? seconds : (threshold?.thresholdValue ?? 0),
      channels: channels.flatMap((channel) =>
        isOurs(channel) && policy.notificationChannels?.includes(channel.name ?? '') ? [channel.displayName ?? ''] : [],
      ),
    },
    labels,
    state: policy.enabled === false ? 'stopped' : 'ready',
    createdAt: timeOf(policy.creationRecord?.mutateTime),
    ...(policy.name === undefined ? {} : { id: policy.name }),
  };
}

/** `before`: the channels that it has. */
function bodyOf(
  { attributes, name, labels }: Wanted<'alert-policy'>,
  channels: readonly Channel[],
  before: readonly string[] = [],
): AlertPolicy & { combiner: string } {
  return {
    displayName: name,
    combiner: 'OR',
    enabled: true,
    conditions: [
      {
        displayName: name,
        conditionThreshold: thresholdOf(attributes),
      },
    ],
    notificationChannels: [
      ...before.filter((name) => !channels.some((channel) => isOurs(channel) && channel.name === name)),
      ...channels.flatMap(({ name, displayName = '' }) =>
        name !== undefined && attributes.channels.includes(displayName) ? [name] : [],
      ),
    ],
    userLabels: { ...labels, [SERVICE]: attributes.service, [CONDITION]: attributes.condition },
  };
}

const policiesOf = (google: Google, signal: AbortSignal): Promise<AlertPolicy[]> =>
  allPages(
    (pageToken) =>
      google.http.request<{ alertPolicies?: AlertPolicy[]; nextPageToken?: string }>('GET', placeOf(google), {
        query: { pageSize: 500, pageToken },
        signal,
      }),
    (page) => page.alertPolicies,
  );

/** Most have none, and then nobody needs to be asked. */
const channelsFor = ({ attributes }: Wanted<'alert-policy'>, { google, signal }: Work): Promise<Channel[]> =>
  attributes.channels.length === 0 ? Promise.resolve([]) : channelsOf(google, signal);

export const alertPolicy: KindDriver<'alert-policy'> = {
  async observe(sight) {
    const policies = await policiesOf(sight.google, sight.signal);
    const tells = policies.some(({ notificationChannels = [] }) => notificationChannels.length > 0);
    const channels = tells ? await channelsIn(sight) : [];
    return policies.map((policy) => seenOf(policy, channels));
  },
  async create(wanted, work) {
    const { google, signal, say } = work;
    say('creating');
    const channels = await channelsFor(wanted, work);
    const body = bodyOf(wanted, channels);
    const made = await madeOnce({
      find: async () => (await policiesOf(google, signal)).filter(({ displayName }) => displayName === wanted.name),
      create: () => google.http.request<AlertPolicy>('POST', placeOf(google), { body, signal, once: true }),
      remove: async ({ name = '' }) => {
        await google.http.request('DELETE', `${MONITORING}/${name}`, { signal });
      },
    });
    return seenOf(made, channels);
  },
  async update(wanted, seen, work) {
    const { google, signal, say } = work;
    if (seen.id === undefined) return alertPolicy.create(wanted, work);
    say('updating');
    const [channels, { notificationChannels }] = await Promise.all([
      channelsOf(google, signal),
      google.http.request<AlertPolicy>('GET', `${MONITORING}/${seen.id}`, { signal }),
    ]);
    const body = bodyOf(wanted, channels, notificationChannels);
    const query = { updateMask: 'displayName,conditions,combiner,enabled,userLabels,notificationChannels' };
    const after = await google.http.request<AlertPolicy>('PATCH', `${MONITORING}/${seen.id}`, { query, body, signal });
    return seenOf(after, channels);
  },
  async remove(gone, { google, signal, say }) {
    say('deleting');
    const id = gone.id ?? (await policiesOf(google, signal)).find(({ displayName }) => displayName === gone.name)?.name;
    if (id !== undefined) await ifThere(() => google.http.request('DELETE', `${MONITORING}/${id}`, { signal }));
  },
};
