import type { secretmanager_v1 } from '@googleapis/secretmanager';
import { isOwn } from '../../../../domain/cloud/resource.ts';
import { called } from '../../../../platform/google/http.ts';
import {
  allPages,
  againOnConflict,
  ifThere,
  type KindDriver,
  labelsOf,
  lastPart,
  type Seen,
  type Sight,
  timeOf,
  unlessStatus,
  type Wanted,
} from '../kind-driver.ts';
import { hasValue, secretPath } from '../secrets.ts';

const seenOf = (secret: secretmanager_v1.Schema$Secret, value: boolean | undefined): Seen<'secret'> => ({
  kind: 'secret',
  name: lastPart(secret.name),
  location: null,
  attributes: { replication: 'automatic' },
  labels: labelsOf(secret.labels),
  state: 'ready',
  ...(value === undefined ? {} : { hasValue: value }),
  createdAt: timeOf(secret.createTime),
});

/** Of a secret, for more kinds than one, each asked for once. */
export const valueIn = ({ google, signal, once }: Sight, id: string): Promise<boolean> =>
  once(`secret-value/${id}`, () => hasValue(google, id, signal));

export const secret: KindDriver<'secret'> = {
  async observe(sight) {
    const { google, signal } = sight;
    const client = await google.clients.secretmanager();
    const parent = `projects/${google.scope.cloudProject}`;
    const all = await allPages(
      (pageToken) =>
        called(
          client.projects.secrets.list(
            { parent, pageSize: 250, ...(pageToken === undefined ? {} : { pageToken }) },
            { signal },
          ),
        ),
      (page) => page.secrets,
    );
    return Promise.all(
      all.map(async (one) =>
        seenOf(one, isOwn(labelsOf(one.labels), google.scope) ? await valueIn(sight, lastPart(one.name)) : undefined),
      ),
    );
  },
  /** Declared, without a value: whoever knows it sets it. */
  async create(wanted: Wanted<'secret'>, { google, signal, say }) {
    const client = await google.clients.secretmanager();
    say('declaring');
    const requestBody = { replication: { automatic: {} }, labels: { ...wanted.labels } };
    const parent = `projects/${google.scope.cloudProject}`;
    const made = await unlessStatus(409, () =>
      called(client.projects.secrets.create({ parent, secretId: wanted.name, requestBody }, { signal })),
    );
    const there =
      made ?? (await called(client.projects.secrets.get({ name: secretPath(google, wanted.name) }, { signal })));
    return seenOf(there, made === null ? await hasValue(google, wanted.name, signal) : false);
  },
  async update(wanted, _seen, { google, signal, say }) {
    const client = await google.clients.secretmanager();
    say('updating');
    const name = secretPath(google, wanted.name);
    const after = await againOnConflict(async () => {
      const { labels, etag } = await called(client.projects.secrets.get({ name }, { signal }));
      const requestBody = { labels: { ...labels, ...wanted.labels }, ...(etag ? { etag } : {}) };
      return called(client.projects.secrets.patch({ name, updateMask: 'labels', requestBody }, { signal }));
    });
    return seenOf(after, await hasValue(google, wanted.name, signal));
  },
  async remove(gone, { google, signal, say }) {
    const client = await google.clients.secretmanager();
    say('deleting');
    await ifThere(() => called(client.projects.secrets.delete({ name: secretPath(google, gone.name) }, { signal })));
  },
};
