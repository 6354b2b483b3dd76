import { findImage as findInRegistry, imageReference } from '../apis/artifactregistry-images.ts';
import type { ImageStore } from '../build/image-store.ts';
import type { Image } from '../build/image.ts';
import type { World } from '../core/world.ts';
import { textAt } from '../json.ts';

/** What Cloud Run looks up in other APIs: their tables are the one state of all. */
export type SecretVersion = { state: 'no-secret' | 'no-version' | 'disabled' } | { state: 'enabled'; value: Buffer };

export function secretVersion(world: World, project: string, id: string, version: string): SecretVersion {
  const secret = `projects/${project}/secrets/${id}`;
  const row = world.state.table('secretmanager.secrets').get(secret);
  if (row === undefined) return { state: 'no-secret' };
  const number = version === 'latest' ? String(Number(row['lastVersion'] ?? 0)) : version;
  const name = `${secret}/versions/${number}`;
  const found = world.state.table('secretmanager.versions').get(name);
  if (found === undefined) return { state: 'no-version' };
  if (found['state'] !== 'ENABLED') return { state: 'disabled' };
  const data = textAt(world.state.table('secretmanager.values').get(name), 'data') ?? '';
  return { state: 'enabled', value: Buffer.from(data, 'base64') };
}

/** Accounts that Google makes are always there; of a project's own, those that were made. */
export const accountExists = (world: World, email: string): boolean =>
  !/@[^.]+\.iam\.gserviceaccount\.com$/.test(email) || world.state.table('iam.serviceAccounts').has(email);

export const hasRole = (world: World, key: string, account: string, roles: readonly string[]): boolean =>
  world.policies.has(key, `serviceAccount:${account}`, roles);

export function sqlInstanceExists(world: World, project: string, region: string, instance: string): boolean {
  const row = world.state.table('sqladmin.instances').get(`${project}/${instance}`);
  return row !== undefined && (textAt(row, 'region') ?? region) === region;
}

/** The image of a reference: as Artifact Registry knows it, or, of another registry, as it was built here. */
export function findImage(world: World, images: ImageStore, reference: string): Image | null {
  if (imageReference(reference) === null) return images.find(reference);
  const known = findInRegistry(world, reference);
  return known === null ? null : images.byDigest(known.digest);
}
