import type { Operation } from '../../../../platform/google/operations.ts';
import type { Google } from '../google.ts';
import {
  allPages,
  begun,
  carriedOut,
  ifThere,
  type KindDriver,
  labelsOf,
  lastPart,
  type Seen,
  timeOf,
  untilSo,
  type Wanted,
  waiting,
} from '../kind-driver.ts';

interface Repository {
  name?: string;
  format?: string;
  labels?: Record<string, string>;
  cleanupPolicies?: Record<string, { id?: string; action?: string; mostRecentVersions?: { keepCount?: number } }>;
  sizeBytes?: string;
  createTime?: string;
}

const BASE = 'https://artifactregistry.googleapis.com/v1';
const KEEP = 'evenkeel-keep';
const DELETE = 'evenkeel-delete';

const parentOf = ({ scope }: Google): string =>
  `${BASE}/projects/${scope.cloudProject}/locations/${scope.region}/repositories`;

/** What is kept wins over what is deleted, so this deletes all but the newest. */
const policies = (keepVersions: number) => ({
  [KEEP]: { id: KEEP, action: 'KEEP', mostRecentVersions: { keepCount: keepVersions } },
  [DELETE]: { id: DELETE, action: 'DELETE', condition: { tagState: 'ANY', olderThan: '86400s' } },
});

const seenOf = (google: Google, found: Repository): Seen<'repository'> => ({
  kind: 'repository',
  name: lastPart(found.name),
  location: google.scope.region,
  attributes: { format: 'DOCKER', keepVersions: found.cleanupPolicies?.[KEEP]?.mostRecentVersions?.keepCount ?? 0 },
  labels: labelsOf(found.labels),
  state: 'ready',
  size: { bytes: found.sizeBytes === undefined ? null : Number(found.sizeBytes), objects: null },
  createdAt: timeOf(found.createTime),
});

export const repository: KindDriver<'repository'> = {
  async observe({ google, signal }) {
    const all = await allPages(
      (pageToken) =>
        google.http.request<{ repositories?: Repository[]; nextPageToken?: string }>('GET', parentOf(google), {
          query: { pageSize: 500, pageToken },
          signal,
        }),
      (page) => page.repositories,
    );
    return all.filter(({ format }) => format === 'DOCKER').map((found) => seenOf(google, found));
  },
  async create(wanted: Wanted<'repository'>, work) {
    const { google, signal, say } = work;
    say('creating');
    const body = {
      format: 'DOCKER',
      labels: wanted.labels,
      cleanupPolicies: policies(wanted.attributes.keepVersions),
    };
    const query = { repositoryId: wanted.name };
    const begin = () => google.http.request<Operation>('POST', parentOf(google), { query, body, signal });
    const wait = waiting(work, wanted, 'creating');
    await begun(BASE, begin, wait, say);
    const url = `${parentOf(google)}/${wanted.name}`;
    const look = () => ifThere(() => google.http.request<Repository>('GET', url, { signal }));
    return seenOf(google, await untilSo(look, wait));
  },
  async update(wanted, seen, { google, signal, say }) {
    say('updating');
    const url = `${parentOf(google)}/${wanted.name}`;
    const before = await google.http.request<Repository>('GET', url, { signal });
    const body = {
      labels: { ...before.labels, ...wanted.labels },
      cleanupPolicies: { ...before.cleanupPolicies, ...policies(wanted.attributes.keepVersions) },
    };
    const query = { updateMask: 'labels,cleanupPolicies' };
    const after = await google.http.request<Repository>('PATCH', url, { query, body, signal });
    return { ...seen, ...seenOf(google, after) };
  },
  async remove(gone, work) {
    const { google, signal, say } = work;
    say('deleting with its images');
    const url = `${parentOf(google)}/${gone.name}`;
    const begin = () => google.http.request<Operation>('DELETE', url, { signal });
    await ifThere(() => carriedOut(BASE, begin, waiting(work, gone, 'deleting'), say));
  },
};
