import type { World } from '../core/world.ts';
import type { ImageStore } from '../build/image-store.ts';
import type { Outcome } from './conditions.ts';
import { accountExists, findImage, hasRole, secretVersion, sqlInstanceExists } from './neighbours.ts';
import { placeOf } from './names.ts';
import type { Container, Program } from './shapes.ts';

export const defaultAccount = (projectNumber: string): string =>
  `${projectNumber}-compute@developer.gserviceaccount.com`;

/** What keeps a program from being started; null when nothing does. */
export function problemOf(
  world: World,
  images: ImageStore,
  program: Program,
  /** Whole name of the revision or execution. */
  owner: string,
): Outcome | null {
  const { project } = placeOf(owner);
  const account = program.serviceAccount ?? defaultAccount(world.projects.find(project).number);
  if (!accountExists(world, account))
    return failure(
      `Permission 'iam.serviceaccounts.actAs' denied on service account ${account} (or it may not exist).`,
      'CONTAINER_PERMISSION_DENIED',
    );
  for (const { image = '' } of program.containers ?? []) {
    if (findImage(world, images, image) === null) return failure(`Image '${image}' not found.`, 'CONTAINER_MISSING');
  }
  return secretProblem(world, program, { project, account }) ?? sqlProblem(world, program, { project, account });
}

const failure = (message: string, reason: string): Outcome => ({ ok: false, message, reason });

interface Who {
  project: string;
  account: string;
}

/** Secrets that a program needs, each with where it is named. */
export function secretsOf(program: Program): { at: string; secret: string; version: string }[] {
  const ofEnv = (container: Container, index: number) =>
    (container.env ?? []).flatMap(({ valueSource }, place) => {
      const { secret, version = 'latest' } = valueSource?.secretKeyRef ?? {};
      const at = `spec.template.spec.containers[${index}].env[${place}].value_from.secret_key_ref.name`;
      return secret === undefined ? [] : [{ at, secret, version }];
    });
  const ofVolumes = (program.volumes ?? []).flatMap(({ secret }, index) =>
    (secret?.items?.length ? secret.items : [{ version: 'latest' }]).flatMap(({ version = 'latest' }) =>
      secret?.secret === undefined
        ? []
        : [{ at: `spec.template.spec.volumes[${index}].secret.secret_name`, secret: secret.secret, version }],
    ),
  );
  return [...(program.containers ?? []).flatMap(ofEnv), ...ofVolumes];
}

/** The project and id of a secret that is named by either. */
export function secretParts(world: World, secret: string, project: string): { project: string; id: string } {
  const [, named, id] = /^projects\/([^/]+)\/secrets\/([^/]+)$/.exec(secret) ?? [];
  const found = named === undefined ? null : world.projects.tryFind(named);
  return { project: found?.id ?? named ?? project, id: id ?? secret };
}

function secretProblem(world: World, program: Program, { project, account }: Who): Outcome | null {
  const messages = secretsOf(program).flatMap(({ at, secret, version }) => {
    const place = secretParts(world, secret, project);
    const number = world.projects.tryFind(place.project)?.number ?? place.project;
    const name = `projects/${number}/secrets/${place.id}/versions/${version}`;
    const found = secretVersion(world, place.project, place.id, version);
    if (found.state === 'no-secret' || found.state === 'no-version') return [`${at}: Secret ${name} was not found`];
    const roles = ['roles/secretmanager.secretAccessor', 'roles/secretmanager.admin', 'roles/owner'];
    const keys = [`projects/${place.project}`, `projects/${place.project}/secrets/${place.id}`];
    if (!keys.some((key) => hasRole(world, key, account, roles)))
      return [
        `${at}: Permission denied on secret: ${name} for Revision service account ${account}. The service account used must be granted the 'Secret Manager Secret Accessor' role (roles/secretmanager.secretAccessor) at the secret, project or higher level.`,
      ];
    return found.state === 'disabled' ? [`${at}: Secret ${name} is in DISABLED state.`] : [];
  });
  return messages.length === 0 ? null : failure(messages.join('\n'), 'SECRETS_ACCESS_CHECK_FAILED');
}

function sqlProblem(world: World, program: Program, { project, account }: Who): Outcome | null {
  const instances = (program.volumes ?? []).flatMap(({ cloudSqlInstance }) => cloudSqlInstance?.instances ?? []);
  for (const instance of instances) {
    const owner = instance.split(':').slice(0, -2).join(':') || project;
    if (!sqlInstanceExists(world, owner, instance.split(':').at(-2) ?? '', instance.split(':').at(-1) ?? ''))
      return failure(`Cloud SQL instance '${instance}' was not found.`, 'INTERNAL');
    const roles = ['client', 'editor', 'admin'].map((role) => `roles/cloudsql.${role}`);
    if (!hasRole(world, `projects/${owner}`, account, [...roles, 'roles/editor', 'roles/owner']))
      return failure(
        `Permission denied on Cloud SQL instance '${instance}' for Revision service account ${account}. The service account used must be granted the 'Cloud SQL Client' role (roles/cloudsql.client).`,
        'CONTAINER_PERMISSION_DENIED',
      );
  }
  return null;
}

/** Every variable of a container, those of secrets with their value. Call it right before a start: `latest` may change. */
export function valuesOf(world: World, container: Container, project: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { name, value, valueSource } of container.env ?? []) {
    const { secret, version = 'latest' } = valueSource?.secretKeyRef ?? {};
    if (secret === undefined) values[name] = value ?? '';
    else {
      const place = secretParts(world, secret, project);
      const found = secretVersion(world, place.project, place.id, version);
      if (found.state === 'enabled') values[name] = found.value.toString('utf8');
    }
  }
  return values;
}
