import { formatCount } from '../../../lib/format.ts';
import type { Desired, Observed } from '../resource.ts';
import {
  ALERT_CONDITION,
  type Allowance,
  CLUSTER_HOUR,
  CONNECTOR_HOUR,
  IMAGES_GB,
  MONTH_HOURS,
  MONTH_SECONDS,
  OLD_LOGS_GIB,
  type Region,
  regionOf,
  RUN,
  RUN_MILLION_REQUESTS,
  SECRET_VERSION,
  STORAGE_GB,
  THOUSAND_UPTIME_CHECKS,
  UPTIME_PLACES,
} from './price-list.ts';
import { between, free, type Price, times, usd } from './amounts.ts';
import { sqlPrice } from './sql-price.ts';

/** How much the system is used. Nobody knows that beforehand: it is assumed, and said. */
export interface Use {
  /** For each service and month. */
  requests: number;
  /** How long an instance is busy with one, s. */
  secondsEach: number;
  /** How many an instance has at once while it is busy. */
  atOnce: number;
  /** In each bucket that is not there yet, GB. */
  bucketGb: number;
  /** Of one version of an image, GB; layers are shared. */
  imageGb: number;
  /** Logs for a month, GiB. */
  logsGib: number;
}

export const ASSUMED_USE: Use = {
  requests: 1_000_000,
  secondsEach: 0.2,
  atOnce: 2,
  bucketGb: 10,
  imageGb: 0.2,
  logsGib: 10,
};

export type Priced = Desired | Observed;

const GIB = 2 ** 30;

/** What one resource costs by itself, before anything is given away. `region` is the project's, for what names none. */
export function priceOf(resource: Priced, region: string, use: Use = ASSUMED_USE): Price {
  const place = regionOf(resource.location ?? region);
  const price = unchecked(resource, place, use);
  if (place.known || isFree(price)) return price;
  const where = resource.location ?? region;
  return { ...price, basis: `${price.basis}; prices of ${where} are not known here, others' are taken` };
}

function unchecked(resource: Priced, place: Region, use: Use): Price {
  switch (resource.kind) {
    case 'sql-instance':
      return sqlPrice(resource.attributes, place, 'state' in resource && resource.state === 'stopped');
    case 'service':
      return runPrice(resource.attributes, place, use);
    case 'bucket':
      return bucketPrice(resource, place, use);
    case 'repository':
      return repositoryPrice(resource, use);
    case 'secret': {
      if ('hasValue' in resource && !resource.hasValue) return free('it has no value');
      return exactly(SECRET_VERSION, `one version at ${usd(SECRET_VERSION)}`, 'secrets');
    }
    case 'connector':
      return connectorPrice(resource.attributes, place);
    case 'uptime-check':
      return uptimePrice(resource.attributes.periodS);
    case 'alert-policy':
      return between(
        0,
        ALERT_CONDITION,
        `up to ${usd(ALERT_CONDITION)} for its condition, as soon as Google charges for alerts`,
      );
    case 'log-retention':
      return logsPrice(resource.attributes.days, use);
    case 'audit-logs':
      return free('counted with the logs', 'logs beyond 50 GiB a month, at $0.50 for each');
    case 'cluster':
      return clusterPrice(resource.attributes.nodes);
    case 'job':
      return free('costs only while it runs', 'its runs');
    case 'api':
    case 'account':
    case 'alert-channel':
    case 'role':
    case 'sql-database':
    case 'sql-user':
    case 'budget':
      return free('free');
  }
}

const isFree = ({ low, high }: Price): boolean => low === 0 && high === 0;

function exactly(amount: number, basis: string, allowance: Allowance): Price {
  return { ...between(amount, amount, basis), covered: { [allowance]: { low: amount, high: amount } } };
}

type RunAttributes = Extract<Priced, { kind: 'service' }>['attributes'];

/** From nobody asking to the assumed use; instances that are kept warm cost a smaller price while they wait. */
function runPrice({ cpu, memory, minInstances, maxInstances }: RunAttributes, { tier }: Region, use: Use): Price {
  const rate = RUN[tier];
  const gib = memory / GIB;
  const waiting = cpu * rate.idleCpu + gib * rate.idleMemoryGib;
  const warm = minInstances * MONTH_SECONDS;
  const busy = Math.min((use.requests * use.secondsEach) / use.atOnce, maxInstances * MONTH_SECONDS);
  const low = warm * waiting;
  const idle = Math.max(0, warm - busy) * waiting;
  const parts = {
    runCpu: busy * cpu * rate.cpu,
    runMemory: busy * gib * rate.memoryGib,
    runRequests: (use.requests / 1e6) * RUN_MILLION_REQUESTS,
  };
  const high = idle + parts.runCpu + parts.runMemory + parts.runRequests;
  const most = maxInstances * MONTH_SECONDS * (cpu * rate.cpu + gib * rate.memoryGib);
  const kept =
    minInstances === 0 ? 'no instance kept warm' : `${minInstances} kept warm at ${usd(waiting * MONTH_SECONDS)}`;
  return {
    low: Math.min(low, high),
    high: Math.max(low, high),
    basis: `${kept}; from no request to ${round(use.requests / 1e6)} million of ${round(use.secondsEach * 1000)} ms, ${use.atOnce} at once`,
    leavesOut: `more use: ${usd(most)} with all ${maxInstances} instances busy all month; traffic to the internet`,
    covered: {
      runCpu: { low: 0, high: parts.runCpu },
      runMemory: { low: 0, high: parts.runMemory },
      runRequests: { low: 0, high: parts.runRequests },
    },
  };
}

const round = (value: number): string => String(Number(value.toPrecision(3)));

type Of<K extends Priced['kind']> = Extract<Priced, { kind: K }>;

const seenGb = (resource: Priced): number | null => {
  const bytes = 'size' in resource ? (resource.size?.bytes ?? null) : null;
  return bytes === null ? null : bytes / 1e9;
};

function bucketPrice(resource: Of<'bucket'>, { storage }: Region, use: Use): Price {
  const { storageClass } = resource.attributes;
  const rate = STORAGE_GB[storageClass];
  const leavesOut = 'requests ($0.005 for a thousand writes), traffic to the internet';
  const seen = seenGb(resource);
  if (rate === undefined) {
    return between(0, null, `the price of ${storageClass} is not known`, leavesOut);
  }
  if (seen !== null) {
    const { low, high } = times(seen * rate, storage);
    return between(low, high, `${round(seen)} GB at about ${usd(rate)}`, leavesOut);
  }
  const { high } = times(use.bucketGb * rate, storage);
  return between(0, high, `from empty to ${use.bucketGb} GB at about ${usd(rate)}`, leavesOut);
}

function repositoryPrice(resource: Of<'repository'>, use: Use): Price {
  const seen = seenGb(resource);
  if (seen !== null) return exactly(seen * IMAGES_GB, `${round(seen)} GB at ${usd(IMAGES_GB)}`, 'images');
  const versions = resource.attributes.keepVersions;
  const high = versions * use.imageGb * IMAGES_GB;
  return {
    ...between(
      0,
      high,
      `up to ${versions} versions of ${use.imageGb} GB at ${usd(IMAGES_GB)}`,
      'more than one service’s images',
    ),
    covered: { images: { low: 0, high } },
  };
}

function connectorPrice({ minInstances, maxInstances }: Of<'connector'>['attributes'], { compute }: Region): Price {
  const each = CONNECTOR_HOUR * MONTH_HOURS;
  const low = times(minInstances * each, compute).low;
  const high = times(maxInstances * each, compute).high;
  return between(
    low,
    high,
    `${minInstances} to ${maxInstances} small machines at about ${usd(each)}; it never makes fewer again`,
  );
}

function uptimePrice(periodS: number): Price {
  const checks = Math.round((MONTH_SECONDS / periodS) * UPTIME_PLACES);
  const amount = (checks / 1000) * THOUSAND_UPTIME_CHECKS;
  const basis = `${formatCount(checks)} checks, every ${periodS} s from ${UPTIME_PLACES} places, at ${usd(THOUSAND_UPTIME_CHECKS)} a thousand`;
  return exactly(amount, basis, 'uptime');
}

function logsPrice(days: number, use: Use): Price {
  const months = Math.max(0, days - 30) / 30;
  if (months === 0) return free('30 days are free', 'logs beyond 50 GiB a month, at $0.50 for each');
  const high = months * use.logsGib * OLD_LOGS_GIB;
  return between(
    0,
    high,
    `${days} days of up to ${use.logsGib} GiB a month`,
    'logs beyond 50 GiB a month, at $0.50 for each',
  );
}

function clusterPrice(nodes: number): Price {
  const managed = CLUSTER_HOUR * MONTH_HOURS;
  const basis = `${usd(managed)} for its control plane unless that is the account’s first, and ${nodes} nodes of a size not known`;
  return between(0, nodes === 0 ? managed : null, basis, 'disks and addresses');
}
