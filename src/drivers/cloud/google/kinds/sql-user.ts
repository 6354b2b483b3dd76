import { randomBytes } from 'node:crypto';
import type { CloudDatabase } from '../../../../domain/cloud/config.ts';
import { isOwn, ownLabels } from '../../../../domain/cloud/resource.ts';
import { databaseUrl } from '../../../../domain/cloud/variables.ts';
import { called } from '../../../../platform/google/http.ts';
import { ifThere, type KindDriver, labelsOf, type Seen, type Sight, unlessStatus, type Work } from '../kind-driver.ts';
import { addValue, hasValue, readValue, secretPath } from '../secrets.ts';
import { changeSql, onceRunning } from '../sql.ts';
import { valueIn } from './secret.ts';
import { instancesIn } from './sql-instance.ts';

/** Letters and digits alone: it goes into addresses as it is. 24 bytes of chance. */
const newPassword = (): string => randomBytes(24).toString('hex');

const seenOf = (instance: Seen<'sql-instance'>, user: string, passwordSecret: string): Seen<'sql-user'> => ({
  kind: 'sql-user',
  name: `${instance.name}/${user}`,
  location: instance.location,
  attributes: { instance: instance.name, user, passwordSecret },
  labels: labelsOf(instance.labels),
  state: 'ready',
  createdAt: null,
});

/** Which secret holds the password of a user: the file's, once it has a value; else ''. Users bear no labels. */
async function passwordSecretOf(sight: Sight, instance: string, user: string): Promise<string> {
  const { database } = sight.google;
  if (database === null || database.instance !== instance || database.user !== user) return '';
  const [password, url] = await Promise.all([
    valueIn(sight, database.passwordSecret),
    valueIn(sight, database.urlSecret),
  ]);
  return password && url ? database.passwordSecret : '';
}

/** The value of a secret, which is declared if it is not yet, and given one if it has none. Others' values are kept. */
async function valueOr(work: Work, id: string, make: () => string): Promise<string> {
  const { google, signal } = work;
  const there = await readValue(google, id, signal);
  if (there !== null) return there;
  const client = await google.clients.secretmanager();
  const requestBody = { replication: { automatic: {} }, labels: { ...ownLabels(google.scope) } };
  const parent = `projects/${google.scope.cloudProject}`;
  const known = await ifThere(() => called(client.projects.secrets.get({ name: secretPath(google, id) }, { signal })));
  if (known === null)
    await unlessStatus(409, () =>
      called(client.projects.secrets.create({ parent, secretId: id, requestBody }, { signal })),
    );
  await addValue(google, id, make(), signal);
  // Of two set-ups at once both may have added one: what is read last is what counts for both.
  return (await readValue(google, id, signal)) ?? '';
}

/** Of two set-ups that take turns at a password; each turn ends with the one that was stored last. */
const MOST_TURNS = 5;

/** What is done to a user is done one after the other, and once its instance runs. Throws `cloud-not-running` where it rests. */
export const keepUser = (work: Work, wanted: Seen<'sql-user'>['attributes']): Promise<void> => {
  const name = `${wanted.instance}/${wanted.user}`;
  return work.google.turn(`user/${name}`, () =>
    onceRunning(work, wanted.instance, `creating sql-user/${name}`, () => ensureUser(work, wanted)),
  );
};

/** The user, with the password that its secret holds; and the secret with the whole address. */
async function ensureUser(
  work: Work,
  wanted: { instance: string; user: string; passwordSecret: string },
): Promise<void> {
  const { google, signal } = work;
  let password = await valueOr(work, wanted.passwordSecret, newPassword);
  for (let turn = 1; ; turn += 1) {
    const set = await setPassword(work, wanted, password);
    // Another set-up may have stored another one meanwhile: what is stored is what services are given.
    const stored = (await readValue(google, wanted.passwordSecret, signal)) ?? password;
    if ((set && stored === password) || turn >= MOST_TURNS) break;
    password = stored;
  }
  const { database } = google;
  if (database === null || database.instance !== wanted.instance || database.user !== wanted.user) return;
  const { cloudProject: project, region } = google.scope;
  const url = databaseUrl(database, { project, region }, password);
  const there = await valueOr(work, database.urlSecret, () => url);
  if (there !== url) await addValue(google, database.urlSecret, url, signal);
}

/** False when somebody else made the user just now, with whatever password. */
async function setPassword(work: Work, wanted: { instance: string; user: string }, password: string): Promise<boolean> {
  const { google, signal, say } = work;
  const client = await google.clients.sqladmin();
  const project = google.scope.cloudProject;
  const { instance, user: name } = wanted;
  const doing = `creating sql-user/${instance}/${name}`;
  const { items = [] } = await called(client.users.list({ project, instance }, { signal }));
  const requestBody = { name, password, instance, project };
  const there = items.some((one) => one.name === name);
  say(there ? 'setting its password' : 'creating');
  const done = await changeSql(work, instance, doing, () =>
    called(
      there
        ? client.users.update({ project, instance, name, requestBody }, { signal })
        : client.users.insert({ project, instance, requestBody }, { signal }),
    ),
  );
  return done !== null;
}

/** The same for the user of the file, when it is not there yet or its secrets are not whole. */
export async function ensureUserOfFile(work: Work, database: CloudDatabase): Promise<void> {
  const { google, signal } = work;
  const client = await google.clients.sqladmin();
  const listed = called(
    client.users.list({ project: google.scope.cloudProject, instance: database.instance }, { signal }),
  );
  const [{ items = [] }, password, url] = await Promise.all([
    listed,
    hasValue(google, database.passwordSecret, signal),
    hasValue(google, database.urlSecret, signal),
  ]);
  if (password && url && items.some(({ name }) => name === database.user)) return;
  await ensureUser(work, { instance: database.instance, user: database.user, passwordSecret: database.passwordSecret });
}

export const sqlUser: KindDriver<'sql-user'> = {
  async observe(sight) {
    const { google, signal } = sight;
    const client = await google.clients.sqladmin();
    const instances = (await instancesIn(sight)).filter(
      (one) => isOwn(one.labels, google.scope) && one.state === 'ready',
    );
    const all = await Promise.all(
      instances.map(async (instance) => {
        const project = google.scope.cloudProject;
        const { items = [] } = await called(client.users.list({ project, instance: instance.name }, { signal }));
        // `postgres` comes with the instance, and belongs to it.
        const named = items.flatMap(({ name, type }) =>
          name && name !== 'postgres' && (!type || type === 'BUILT_IN') ? [name] : [],
        );
        return Promise.all(
          named.map(async (user) => seenOf(instance, user, await passwordSecretOf(sight, instance.name, user))),
        );
      }),
    );
    return all.flat();
  },
  async create(wanted, work) {
    await keepUser(work, wanted.attributes);
    return {
      kind: 'sql-user',
      name: wanted.name,
      location: wanted.location,
      attributes: wanted.attributes,
      labels: labelsOf(wanted.labels),
      state: 'ready',
      createdAt: null,
    };
  },
  update: (wanted, _seen, work) => sqlUser.create(wanted, work),
  async remove(gone, work) {
    const { google, signal, say } = work;
    const client = await google.clients.sqladmin();
    const { instance, user } = gone.attributes;
    say('deleting');
    await ifThere(() =>
      changeSql(work, instance, `deleting sql-user/${gone.name}`, () =>
        called(client.users.delete({ project: google.scope.cloudProject, instance, name: user }, { signal })),
      ),
    );
  },
};
