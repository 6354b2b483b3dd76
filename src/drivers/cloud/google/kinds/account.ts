import type { iam_v1 } from '@googleapis/iam';
import { accountEmail } from '../../../../domain/cloud/names.ts';
import type { Labels } from '../../../../domain/cloud/resource.ts';
import { called } from '../../../../platform/google/http.ts';
import type { Google } from '../google.ts';
import {
  allPages,
  ifThere,
  type KindDriver,
  type Seen,
  type Sight,
  unlessStatus,
  untilSo,
  waiting,
} from '../kind-driver.ts';

/** Accounts bear no labels: whose they are is written in the description, which has room for 256 characters. */
const describe = (labels: Labels): string =>
  `evenkeel: ${Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')}`;

const readDescription = (text: string): Record<string, string> =>
  text.startsWith('evenkeel: ')
    ? Object.fromEntries([...text.matchAll(/([\w-]+)=([\w-]+)/g)].map(([, key = '', value = '']) => [key, value]))
    : {};

export const emailOf = (google: Google, account: string): string => accountEmail(account, google.scope.cloudProject);

const pathOf = (google: Google, account: string): string =>
  `projects/${google.scope.cloudProject}/serviceAccounts/${emailOf(google, account)}`;

function seenOf({ email, displayName, description, disabled }: iam_v1.Schema$ServiceAccount): Seen<'account'> {
  return {
    kind: 'account',
    name: (email ?? '').split('@')[0] ?? '',
    location: null,
    attributes: { displayName: displayName ?? '' },
    labels: readDescription(description ?? ''),
    state: disabled === true ? 'stopped' : 'ready',
    createdAt: null,
  };
}

/** Those of the project, without Google's own. */
export const accountsIn = ({ google, signal, once }: Sight): Promise<Seen<'account'>[]> =>
  once('accounts', async () => {
    const client = await google.clients.iam();
    const name = `projects/${google.scope.cloudProject}`;
    const all = await allPages(
      (pageToken) =>
        called(
          client.projects.serviceAccounts.list(
            { name, pageSize: 100, ...(pageToken === undefined ? {} : { pageToken }) },
            { signal },
          ),
        ),
      (page) => page.accounts,
    );
    return all.filter(({ email }) => email?.endsWith(accountEmail('', google.scope.cloudProject))).map(seenOf);
  });

export const account: KindDriver<'account'> = {
  observe: accountsIn,
  async create(wanted, work) {
    const { google, signal, say } = work;
    const client = await google.clients.iam();
    say('creating');
    const serviceAccount = { displayName: wanted.attributes.displayName, description: describe(wanted.labels) };
    await unlessStatus(409, () =>
      called(
        client.projects.serviceAccounts.create(
          { name: `projects/${google.scope.cloudProject}`, requestBody: { accountId: wanted.name, serviceAccount } },
          { signal },
        ),
      ),
    );
    // A new account is not known everywhere at once; who gives it a role next would be told that it does not exist.
    const name = pathOf(google, wanted.name);
    const look = () => ifThere(() => called(client.projects.serviceAccounts.get({ name }, { signal })));
    return seenOf(await untilSo(look, waiting(work, wanted, 'creating', 2)));
  },
  async update(wanted, _seen, { google, signal, say }) {
    const client = await google.clients.iam();
    say('updating');
    const { displayName } = wanted.attributes;
    // Of somebody else's only the name that is shown is changed: the description says whose it is.
    const requestBody =
      Object.keys(wanted.labels).length === 0
        ? { serviceAccount: { displayName }, updateMask: 'displayName' }
        : {
            serviceAccount: { displayName, description: describe(wanted.labels) },
            updateMask: 'displayName,description',
          };
    const name = pathOf(google, wanted.name);
    await called(client.projects.serviceAccounts.patch({ name, requestBody }, { signal }));
    return seenOf(await called(client.projects.serviceAccounts.get({ name }, { signal })));
  },
  async remove(gone, { google, signal, say }) {
    const client = await google.clients.iam();
    say('deleting');
    await ifThere(() =>
      called(client.projects.serviceAccounts.delete({ name: pathOf(google, gone.name) }, { signal })),
    );
  },
};
