import { isOwn } from '../../../../domain/cloud/resource.ts';
import { called } from '../../../../platform/google/http.ts';
import { EvenkeelError } from '../../../../ports/errors.ts';
import { ifThere, type KindDriver, labelsOf, type Seen, type Sight, type Work } from '../kind-driver.ts';
import { changeSql, executeSql, onceRunning } from '../sql.ts';
import { instancesIn } from './sql-instance.ts';
import { ensureUserOfFile } from './sql-user.ts';

/** They come with Postgres. */
const OF_THE_SYSTEM = new Set(['postgres', 'template0', 'template1', 'cloudsqladmin']);
/** Of every database of Postgres from its first day. */
const BUILT_IN = 'plpgsql';

const LIST = 'select extname from pg_extension';

/** Which extensions are there; none where nobody can look, so that they are made (again, which does no harm). */
async function extensionsOf({ google, signal }: Sight, instance: string, name: string): Promise<string[]> {
  const { database } = google;
  if (database === null || database.extensions.length === 0) return [];
  if (database.instance !== instance || database.name !== name) return [];
  const target = { instance, database: name, user: database.user, passwordSecret: database.passwordSecret };
  const rows = await executeSql(google, target, LIST, signal).catch((error: unknown) => {
    if (error instanceof EvenkeelError && !error.retryable) return [];
    throw error;
  });
  const there = rows.map(([extension = '']) => extension);
  // Others may have more: what the file does not name is nobody's business.
  return database.extensions.filter((extension) => there.includes(extension));
}

async function ensureExtensions(
  work: Work,
  instance: string,
  name: string,
  extensions: readonly string[],
): Promise<void> {
  const wanted = extensions.filter((extension) => extension !== BUILT_IN);
  const { google, signal, say } = work;
  if (wanted.length === 0) return;
  const { database } = google;
  if (database === null || database.instance !== instance || database.name !== name) return;
  await google.turn(`user/${instance}/${database.user}`, () => ensureUserOfFile(work, database));
  const target = { instance, database: name, user: database.user, passwordSecret: database.passwordSecret };
  for (const extension of wanted) {
    say(`creating extension ${extension}`);
    await executeSql(google, target, `create extension if not exists "${extension.replaceAll('"', '""')}"`, signal);
  }
  say('verifying the extensions');
  const there = (await executeSql(google, target, LIST, signal)).map(([extension]) => extension);
  const missing = wanted.filter((extension) => !there.includes(extension));
  if (missing.length === 0) return;
  throw new EvenkeelError({
    code: 'cloud-extension-missing',
    what: `${instance}/${name} has no extension ${missing.join(', ')} though it was to be created`,
    next: 'see which extensions Cloud SQL has: https://cloud.google.com/sql/docs/postgres/extensions',
    exit: 2,
  });
}

export const sqlDatabase: KindDriver<'sql-database'> = {
  async observe(sight) {
    const { google, signal } = sight;
    const client = await google.clients.sqladmin();
    const project = google.scope.cloudProject;
    const instances = (await instancesIn(sight)).filter(
      (one) => isOwn(one.labels, google.scope) && one.state === 'ready',
    );
    const all = await Promise.all(
      instances.map(async (instance) => {
        const { items = [] } = await called(client.databases.list({ project, instance: instance.name }, { signal }));
        const names = items.flatMap(({ name }) => (name && !OF_THE_SYSTEM.has(name) ? [name] : []));
        return Promise.all(
          names.map(async (name): Promise<Seen<'sql-database'>> => ({
            kind: 'sql-database',
            name: `${instance.name}/${name}`,
            location: instance.location,
            attributes: { instance: instance.name, extensions: await extensionsOf(sight, instance.name, name) },
            labels: labelsOf(instance.labels),
            state: 'ready',
            createdAt: null,
          })),
        );
      }),
    );
    return all.flat();
  },
  async create(wanted, work) {
    const { google, signal, say } = work;
    const client = await google.clients.sqladmin();
    const project = google.scope.cloudProject;
    const { instance, extensions } = wanted.attributes;
    const name = wanted.name.slice(instance.length + 1);
    say('creating');
    const doing = `creating sql-database/${wanted.name}`;
    await onceRunning(work, instance, doing, async () => {
      const there = await ifThere(() =>
        called(client.databases.get({ project, instance, database: name }, { signal })),
      );
      if (there === null)
        await changeSql(work, instance, doing, () =>
          called(client.databases.insert({ project, instance, requestBody: { name, instance, project } }, { signal })),
        );
      await ensureExtensions(work, instance, name, extensions);
    });
    return {
      kind: 'sql-database',
      name: wanted.name,
      location: wanted.location,
      attributes: wanted.attributes,
      labels: labelsOf(wanted.labels),
      state: 'ready',
      createdAt: null,
    };
  },
  update: (wanted, _seen, work) => sqlDatabase.create(wanted, work),
  async remove(gone, work) {
    const { google, signal, say } = work;
    const client = await google.clients.sqladmin();
    const { instance } = gone.attributes;
    const database = gone.name.slice(instance.length + 1);
    say('deleting');
    await ifThere(() =>
      changeSql(work, instance, `deleting sql-database/${gone.name}`, () =>
        called(client.databases.delete({ project: google.scope.cloudProject, instance, database }, { signal })),
      ),
    );
  },
};
