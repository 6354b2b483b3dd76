import { looksFilter } from '../names.ts';
import type { Labels, ResourceOf } from '../resource.ts';
import { type Body, block, type Item, raw, set } from './hcl.ts';
import { PROJECT, type Scope } from './scope.ts';

/** What watches: audit logs, log retention, uptime checks, alert policies, budgets. */

export const auditLogs = ({ attributes }: ResourceOf<'audit-logs'>): Body => [
  PROJECT,
  set('service', 'allServices'),
  attributes.reads && block('audit_log_config', [set('log_type', 'ADMIN_READ')]),
  attributes.reads && block('audit_log_config', [set('log_type', 'DATA_READ')]),
  attributes.writes && block('audit_log_config', [set('log_type', 'DATA_WRITE')]),
];

export const logRetention = ({ attributes }: ResourceOf<'log-retention'>): Body => [
  PROJECT,
  set('location', 'global'),
  set('bucket_id', '_Default'),
  set('retention_days', attributes.days),
];

export const uptimeCheck = ({ name, attributes }: ResourceOf<'uptime-check'>, labels: Labels): Body => [
  PROJECT,
  set('display_name', name),
  set('timeout', '10s'),
  set('period', `${attributes.periodS}s`),
  set('user_labels', { ...labels }),
  block('http_check', [
    set('path', attributes.path),
    set('port', 443),
    set('use_ssl', true),
    set('validate_ssl', true),
  ]),
  block('monitored_resource', [
    set('type', 'uptime_url'),
    set('labels', { project_id: raw('var.project'), host: attributes.host }),
  ]),
];

const onRun = (metric: string, service: string, more = ''): string =>
  `resource.type = "cloud_run_revision" AND resource.labels.service_name = "${service}" AND metric.type = "run.googleapis.com/${metric}"${more}`;

export const alertChannel = ({ name, attributes }: ResourceOf<'alert-channel'>, labels: Labels): Body => [
  PROJECT,
  set('display_name', name),
  set('type', 'email'),
  set('labels', { email_address: attributes.email }),
  set('user_labels', { ...labels }),
];

type AlertPolicy = ResourceOf<'alert-policy'>['attributes'];

/** The same as a set-up makes, so that one that is taken over does not change. */
export function alertPolicy({ name, attributes }: ResourceOf<'alert-policy'>, labels: Labels, scope: Scope): Body {
  return [
    PROJECT,
    set('display_name', name),
    set('combiner', 'OR'),
    set('enabled', true),
    set('user_labels', {
      ...labels,
      'evenkeel-service': attributes.service,
      'evenkeel-condition': attributes.condition,
    }),
    ...channelsOf(attributes, scope),
    block('conditions', [
      set('display_name', name),
      block('condition_threshold', [
        ...thresholdOf(attributes),
        set('comparison', 'COMPARISON_GT'),
        block('trigger', [set('count', 1)]),
      ]),
    ]),
  ];
}

function channelsOf({ channels }: AlertPolicy, { locals }: Scope): Item[] {
  const known = channels.flatMap((channel) => locals.get(`alert-channel/${channel}`) ?? []);
  return known.length === 0
    ? []
    : [
        set(
          'notification_channels',
          known.map((local) => raw(`${local}.id`)),
        ),
      ];
}

const aggregation = (period: string, aligner: string, reducer: string, by: string): Body => [
  set('alignment_period', period),
  set('per_series_aligner', aligner),
  set('cross_series_reducer', reducer),
  set('group_by_fields', [by]),
];

const BY_SERVICE = 'resource.labels.service_name';

function thresholdOf({ condition, service, threshold }: AlertPolicy): Body {
  if (condition === 'errors') {
    const summed = aggregation('60s', 'ALIGN_RATE', 'REDUCE_SUM', BY_SERVICE);
    return [
      set('filter', onRun('request_count', service, ' AND metric.labels.response_code_class = "5xx"')),
      set('denominator_filter', onRun('request_count', service)),
      set('threshold_value', threshold),
      set('duration', '300s'),
      block('aggregations', summed),
      block('denominator_aggregations', summed),
    ];
  }
  if (condition === 'latency') {
    return [
      set('filter', onRun('request_latencies', service)),
      set('threshold_value', threshold),
      set('duration', '300s'),
      block('aggregations', aggregation('60s', 'ALIGN_DELTA', 'REDUCE_PERCENTILE_95', BY_SERVICE)),
    ];
  }
  return [
    set('filter', looksFilter(service)),
    // From one place alone it may be that place's fault.
    set('threshold_value', 1),
    set('duration', `${threshold}s`),
    block('aggregations', aggregation('1200s', 'ALIGN_NEXT_OLDER', 'REDUCE_COUNT_FALSE', 'resource.labels.host')),
  ];
}

const NANOS = 1e9;

export function budget({ name, attributes }: ResourceOf<'budget'>): Body {
  const units = Math.trunc(attributes.amount);
  const nanos = Math.round((attributes.amount - units) * NANOS);
  return [
    set('billing_account', raw('var.billing_account')),
    set('display_name', name),
    block('budget_filter', [
      set('projects', [raw(`"projects/\${data.google_project.this.number}"`)]),
      set('calendar_period', 'MONTH'),
    ]),
    block('amount', [
      block('specified_amount', [
        set('currency_code', attributes.currency),
        set('units', String(units)),
        ...(nanos === 0 ? [] : [set('nanos', nanos)]),
      ]),
    ]),
    // Called percent, meant as a share.
    ...attributes.thresholds.map((share) =>
      block('threshold_rules', [set('threshold_percent', share), set('spend_basis', 'CURRENT_SPEND')]),
    ),
  ];
}
