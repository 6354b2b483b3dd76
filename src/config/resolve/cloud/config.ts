import { join, resolve } from 'node:path';

import type { CloudBucket, CloudConfig, CloudService } from '../../../domain/cloud/config.ts';
import {
  DEFAULT_CONNECTOR_RANGE,
  DEFAULT_KEPT_IMAGES,
  DEFAULT_LOG_DAYS,
  DEFAULT_ROLES,
  DEFAULT_THRESHOLDS,
  DEFAULT_UPTIME_PERIOD_S,
} from '../../../domain/cloud/defaults.ts';
import { cloudName, NAME_LIMITS } from '../../../domain/cloud/names.ts';
import { addressVariable, passwordVariable } from '../../../domain/cloud/variables.ts';
import { problemAt } from '../../problem.ts';
import type { Problem } from '../../problem.ts';
import type { WrittenCloud } from '../../schema/cloud.ts';
import { descend, keyPlace } from '../../tree.ts';
import type { Databases } from './databases.ts';
import type { CloudPlace } from './place.ts';

const DAY_MS = 86_400_000;

interface Parts {
  root: string;
  databases: Databases;
  buckets: CloudBucket[];
  secretIds: ReadonlyMap<string, string>;
  services: CloudService[];
}

/** Everything that an environment has in the cloud, with every name made and every default applied. */
export function resolveCloud(place: CloudPlace, parts: Parts, problems: Problem[]): CloudConfig {
  const { written, scope } = place;
  const { cloud: database } = parts.databases;
  const ids = new Map(parts.secretIds);
  if (database !== null) {
    ids.set(passwordVariable(database), database.passwordSecret);
    ids.set(addressVariable(database), database.urlSecret);
  }
  return {
    provider: 'google',
    project: place.project,
    region: place.region,
    apis: [...new Set(written.apis ?? [])],
    labels: written.labels ?? {},
    network: networkOf(written.network),
    account: {
      name: written.account?.name ?? cloudName(scope, 'run', NAME_LIMITS.account),
      roles: [...new Set(written.account?.roles ?? DEFAULT_ROLES)],
      keyFile: keyFileOf(place, parts.root, problems),
    },
    repository: {
      name: written.repository?.name ?? cloudName(scope, '', NAME_LIMITS.repository),
      keepVersions: written.repository?.keep ?? DEFAULT_KEPT_IMAGES,
    },
    database,
    buckets: parts.buckets,
    secrets: [...ids].map(([variable, id]) => ({ variable, id })),
    budget: budgetOf(written.budget),
    billingExport: written.billingExport ?? null,
    logDays: Math.max(...place.sharing.map(logDaysOf)),
    auditLogs: written.logs?.audit ?? true,
    alerts: {
      emails: [...new Set(written.alerts?.email ?? [])],
      everyS: written.alerts?.every === undefined ? DEFAULT_UPTIME_PERIOD_S : written.alerts.every / 1000,
    },
    services: parts.services,
    runsServices: place.runsServices,
    urlFile: urlFileOf(place, parts.root),
  };
}

/**
 * Google keeps the logs of a project for one time. Where environments share a project the longest of theirs holds: each
 * set-up would undo the other's otherwise, and logs that are gone come back for nobody.
 */
const logDaysOf = ({ logs }: WrittenCloud): number =>
  logs?.keep === undefined ? DEFAULT_LOG_DAYS : Math.round(logs.keep / DAY_MS);

function networkOf(written: WrittenCloud['network']): CloudConfig['network'] {
  if (written === undefined) return null;
  return {
    name: written.name,
    egress: written.egress ?? 'direct',
    range: written.range ?? DEFAULT_CONNECTOR_RANGE,
  };
}

function budgetOf(written: WrittenCloud['budget']): CloudConfig['budget'] {
  if (written === undefined) return null;
  const { amount, currency, alerts } = written;
  const thresholds = alerts === undefined ? DEFAULT_THRESHOLDS : alerts.map((percent) => percent / 100);
  return { amount, currency, thresholds: [...new Set(thresholds)].toSorted((a, b) => a - b) };
}

/** Outside of the project: git, an image and an artifact would take it along otherwise. */
function keyFileOf({ written, tree }: CloudPlace, root: string, problems: Problem[]): string | null {
  const given = written.account?.keyFile;
  if (given === undefined) return null;
  const path = ['account', 'keyFile'];
  const file = resolve(root, given);
  if (file === root || file.startsWith(join(root, '/'))) {
    problems.push(
      problemAt(keyPlace(tree, path), descend(tree, path)?.path ?? path, {
        code: 'contradiction',
        message: 'the key of the account would lie in the project, where git and images take it along',
        expected: 'a path outside of the project, such as ${HOME}/.config/evenkeel/KEY.json',
      }),
    );
  }
  return file;
}

function urlFileOf({ written, scope, runsServices }: CloudPlace, root: string): string | null {
  if (!runsServices || written.urlFile === false) return null;
  return resolve(root, written.urlFile ?? `.env.${scope.environment}`);
}
