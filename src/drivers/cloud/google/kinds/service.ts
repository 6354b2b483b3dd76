import type { run_v2 } from '@googleapis/run';
import { isOwn } from '../../../../domain/cloud/resource.ts';
import { called } from '../../../../platform/google/http.ts';
import { settledAt } from '../../../../platform/google/operations.ts';
import {
  againOnConflict,
  allPages,
  carriedOut,
  comesOtherwise,
  ifThere,
  type KindDriver,
  labelsOf,
  lastPart,
  type Seen,
  type Sight,
  timeOf,
  waiting,
} from '../kind-driver.ts';

type Service = run_v2.Schema$GoogleCloudRunV2Service;

export const RUN = 'https://run.googleapis.com/v2';

/**
 * A service that is stopped is scaled by hand to no instance at all: Cloud Run then starts none whatever is asked, answers
 * 503, and charges nothing; what was declared (limits, revisions, traffic, access) stays as it is.
 */
const isStopped = ({ scaling }: Service): boolean =>
  scaling?.scalingMode === 'MANUAL' && (scaling.manualInstanceCount ?? 0) === 0;

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** `512Mi` -> bytes; 0 when it says nothing. */
export function quantity(text: string | undefined): number {
  const [, digits = '0', unit = ''] = /^([\d.]+)([A-Za-z]*)$/.exec(text ?? '') ?? [];
  return unit === 'm' ? Number(digits) / 1000 : Number(digits) * (UNITS[unit] ?? 0);
}

function stateOf(service: Service): Seen<'service'>['state'] {
  if (service.reconciling === true) return 'changing';
  if (isStopped(service)) return 'stopped';
  return service.terminalCondition?.state === 'CONDITION_FAILED' ? 'failed' : 'ready';
}

function seenOf(service: Service, isPublic: boolean, region: string): Seen<'service'> {
  const { template, terminalCondition } = service;
  const [container] = template?.containers ?? [];
  const sql = template?.volumes?.flatMap(({ cloudSqlInstance }) => cloudSqlInstance?.instances ?? []) ?? [];
  const state = stateOf(service);
  return {
    kind: 'service',
    name: lastPart(service.name),
    location: region,
    attributes: {
      image: container?.image ?? null,
      memory: quantity(container?.resources?.limits?.['memory']),
      cpu: quantity(container?.resources?.limits?.['cpu']),
      minInstances: service.scaling?.minInstanceCount ?? template?.scaling?.minInstanceCount ?? 0,
      maxInstances: template?.scaling?.maxInstanceCount ?? service.scaling?.maxInstanceCount ?? 0,
      timeoutS: Number.parseInt(template?.timeout ?? '300', 10),
      public: isPublic,
      account: (template?.serviceAccount ?? '').split('@')[0] ?? '',
      sql: sql[0] ?? null,
    },
    labels: labelsOf(service.labels),
    state,
    createdAt: timeOf(service.createTime),
    ...(service.uri ? { url: service.uri, urls: service.urls ?? [service.uri] } : {}),
    ...(state === 'failed' && terminalCondition?.message ? { problem: terminalCondition.message } : {}),
  };
}

async function isForAll({ google, signal }: Sight, service: Service): Promise<boolean> {
  if (service.invokerIamDisabled === true) return true;
  const client = await google.clients.run();
  const resource = service.name ?? '';
  const policy = await called(client.projects.locations.services.getIamPolicy({ resource }, { signal }));
  return (policy.bindings ?? []).some((one) => one.role === 'roles/run.invoker' && one.members?.includes('allUsers'));
}

export const service: KindDriver<'service'> = {
  async observe(sight) {
    const { google, signal } = sight;
    const { cloudProject, region } = google.scope;
    const client = await google.clients.run();
    const parent = `projects/${cloudProject}/locations/${region}`;
    const all = await allPages(
      (pageToken) =>
        called(
          client.projects.locations.services.list(
            { parent, pageSize: 100, ...(pageToken === undefined ? {} : { pageToken }) },
            { signal },
          ),
        ),
      (page) => page.services,
    );
    return Promise.all(
      all.map(async (one) => {
        const own = isOwn(labelsOf(one.labels), google.scope);
        return seenOf(one, own && (await isForAll(sight, one)), region);
      }),
    );
  },
  create: () => comesOtherwise('service'),
  update: () => comesOtherwise('service'),
  async remove(gone, work) {
    const { google, signal, say } = work;
    const client = await google.clients.run();
    say('deleting');
    const name = `projects/${google.scope.cloudProject}/locations/${gone.location ?? google.scope.region}/services/${gone.name}`;
    const begin = () => called(client.projects.locations.services.delete({ name }, { signal }));
    await ifThere(() => carriedOut(RUN, begin, waiting(work, gone, 'deleting'), say));
  },
  async setRunning(seen, running, work) {
    const { google, signal, say } = work;
    const client = await google.clients.run();
    const name = `projects/${google.scope.cloudProject}/locations/${seen.location ?? google.scope.region}/services/${seen.name}`;
    const act = running ? 'starting' : 'stopping';
    say(act);
    await againOnConflict(async () => {
      const now = await called(client.projects.locations.services.get({ name }, { signal }));
      if (isStopped(now) === !running) return;
      const { manualInstanceCount: _manual, ...scaling } = now.scaling ?? {};
      const requestBody: Service = {
        name,
        ...(now.etag ? { etag: now.etag } : {}),
        scaling: running
          ? { ...scaling, scalingMode: 'AUTOMATIC' }
          : { ...scaling, scalingMode: 'MANUAL', manualInstanceCount: 0 },
      };
      const operation = await called(
        client.projects.locations.services.patch({ name, updateMask: 'scaling', requestBody }, { signal }),
      );
      say('waiting for the operation');
      await settledAt(RUN, operation, waiting(work, seen, act));
    });
  },
};
