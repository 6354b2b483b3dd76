import { createHash, generateKeyPairSync } from 'node:crypto';
import type { Api, Call } from '../core/api.ts';
import { etagOf } from '../core/etag.ts';
import { alreadyExists, badState, invalid, notFound } from '../core/google-error.ts';
import { masked } from '../core/masks.ts';
import { paged } from '../core/paged.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, objectAt, textAt, textsAt } from '../json.ts';
import type { JsonObject } from '../json.ts';

/** Service accounts by address, their keys by `<address>/<id>`. */
const accounts = (world: World) => world.state.table('iam.serviceAccounts');
const keys = (world: World) => world.state.table('iam.keys');

const MOST_KEYS = 10;
const TEN_YEARS = 10 * 365 * 86_400_000;

export const iam: Api = {
  document: 'iam.v1',
  install: (world) => {
    world.findAccountKeys = (email, id) =>
      keys(world)
        .keys(`${email}/${id ?? ''}`)
        .flatMap((key) => textAt(keys(world).get(key), 'publicKey') ?? []);
  },
  handlers: {
    'iam.projects.serviceAccounts.create': (call, world) => {
      const project = world.projects.find(call.at('name').slice('projects/'.length));
      const id = textAt(call.body, 'accountId') ?? '';
      if (!/^[a-z]([-a-z0-9]{4,28}[a-z0-9])$/.test(id))
        throw invalid(`The account ID "${id}" does not have a length between 6 and 30, or has wrong characters.`);
      const email = `${id}@${project.id}.iam.gserviceaccount.com`;
      if (accounts(world).has(email))
        throw alreadyExists(`Service account ${id} already exists within project projects/${project.id}.`);
      const uniqueId = uniqueNumber(email, world);
      const account = {
        name: `projects/${project.id}/serviceAccounts/${email}`,
        projectId: project.id,
        uniqueId,
        email,
        oauth2ClientId: uniqueId,
        ...made({
          displayName: textAt(call.body, 'serviceAccount.displayName'),
          description: textAt(call.body, 'serviceAccount.description'),
        }),
      };
      return accounts(world).set(email, stamped(account));
    },
    'iam.projects.serviceAccounts.get': (call, world) => find(call, world, 'name'),
    'iam.projects.serviceAccounts.list': (call, world) => {
      const project = call.at('name').slice('projects/'.length);
      const all = accounts(world)
        .list()
        .filter((account) => account['projectId'] === project);
      const { entries, nextPageToken } = paged(call, all);
      return made({ accounts: entries, nextPageToken });
    },
    'iam.projects.serviceAccounts.patch': (call, world) => {
      const before = find(call, world, 'name');
      const mask = textAt(call.body, 'updateMask') ?? '';
      if (!/^(displayName|description|display_name)(,(displayName|description|display_name))*$/.test(mask))
        throw invalid('The update mask names display_name or description.');
      const after = masked(before, objectAt(call.body, 'serviceAccount'), mask);
      return accounts(world).set(textAt(before, 'email') ?? '', stamped(after));
    },
    'iam.projects.serviceAccounts.delete': (call, world) => {
      const account = find(call, world, 'name');
      const email = textAt(account, 'email') ?? '';
      accounts(world).delete(email);
      keys(world).deleteBelow(`${email}/`);
      world.policies.delete(`serviceAccounts/${email}`);
      world.policies.forgetAccount(email, textAt(account, 'uniqueId') ?? '');
      return {};
    },
    'iam.projects.serviceAccounts.enable': (call, world) => setDisabled(call, world, false),
    'iam.projects.serviceAccounts.disable': (call, world) => setDisabled(call, world, true),
    'iam.projects.serviceAccounts.getIamPolicy': (call, world) => world.policies.get(policyKey(call, world)),
    'iam.projects.serviceAccounts.setIamPolicy': (call, world) =>
      world.policies.set(policyKey(call, world), objectAt(call.body, 'policy')),
    'iam.projects.serviceAccounts.testIamPermissions': (call) => ({ permissions: textsAt(call.body, 'permissions') }),
    'iam.projects.serviceAccounts.keys.create': createKey,
    'iam.projects.serviceAccounts.keys.list': (call, world) => {
      const email = textAt(find(call, world, 'name'), 'email') ?? '';
      return { keys: keys(world).list(`${email}/`).map(shownKey) };
    },
    'iam.projects.serviceAccounts.keys.get': (call, world) => shownKey(findKey(call, world)),
    'iam.projects.serviceAccounts.keys.delete': (call, world) => {
      findKey(call, world);
      keys(world).delete(keyOf(call));
      return {};
    },
  },
};

/** `projects/<id or ->/serviceAccounts/<address or unique id>`. */
function find(call: Call, world: World, parameter: string): JsonObject {
  const named = call.at(parameter).split('/')[3] ?? '';
  const account = /^\d+$/.test(named)
    ? accounts(world)
        .list()
        .find(({ uniqueId }) => uniqueId === named)
    : accounts(world).get(named);
  if (account === undefined) throw notFound(`Unknown service account: ${named}`);
  return account;
}

const policyKey = (call: Call, world: World): string =>
  `serviceAccounts/${textAt(find(call, world, 'resource'), 'email') ?? ''}`;

function setDisabled(call: Call, world: World, disabled: boolean): JsonObject {
  const { disabled: _, ...account } = find(call, world, 'name');
  accounts(world).set(textAt(account, 'email') ?? '', stamped(disabled ? { ...account, disabled } : account));
  return {};
}

/** A key is shown once, as the JSON file that client libraries read; only its public half is kept. */
function createKey(call: Call, world: World): JsonObject {
  const account = find(call, world, 'name');
  const email = textAt(account, 'email') ?? '';
  if (keys(world).keys(`${email}/`).length >= MOST_KEYS) throw badState(`Maximum number of keys on account reached.`);
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const id = createHash('sha1').update(publicPem).digest('hex');
  const file = {
    type: 'service_account',
    project_id: account['projectId'],
    private_key_id: id,
    private_key: pem,
    client_email: email,
    client_id: account['uniqueId'],
    auth_uri: 'https://accounts.google.com/o/oauth2/auth',
    token_uri: 'https://oauth2.googleapis.com/token',
    universe_domain: 'googleapis.com',
  };
  const key = {
    name: `projects/${textAt(account, 'projectId') ?? ''}/serviceAccounts/${email}/keys/${id}`,
    validAfterTime: timestamp(world.now()),
    validBeforeTime: timestamp(world.now() + TEN_YEARS),
    keyAlgorithm: 'KEY_ALG_RSA_2048',
    keyOrigin: 'GOOGLE_PROVIDED',
    keyType: 'USER_MANAGED',
    publicKey: publicPem,
  };
  keys(world).set(`${email}/${id}`, key);
  return {
    ...shownKey(key),
    privateKeyType: 'TYPE_GOOGLE_CREDENTIALS_FILE',
    privateKeyData: Buffer.from(JSON.stringify(file, null, 2)).toString('base64'),
  };
}

const keyOf = (call: Call): string => call.at('name').replace(/^projects\/[^/]+\/serviceAccounts\/(.+)\/keys\//, '$1/');

function findKey(call: Call, world: World): JsonObject {
  const key = keys(world).get(keyOf(call));
  if (key === undefined)
    throw notFound(`Service account key ${call.at('name').split('/').at(-1) ?? ''} does not exist.`);
  return key;
}

function shownKey(key: JsonObject): JsonObject {
  const { publicKey: _, ...rest } = key;
  return rest;
}

function stamped(account: JsonObject): JsonObject {
  const { etag: _, ...rest } = account;
  return { ...rest, etag: etagOf(rest) };
}

/** Twenty-one digits; an account that is made anew is another one. */
const uniqueNumber = (email: string, world: World): string => {
  const digest = createHash('sha256')
    .update(`${email} ${String(world.state.next())}`)
    .digest();
  return `1${String(digest.readBigUInt64BE() % 10n ** 20n).padStart(20, '0')}`;
};
