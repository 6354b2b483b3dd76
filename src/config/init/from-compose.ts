import { parse } from 'yaml';
import { z } from 'zod';

import { VARIABLE_PATTERN } from '../schema/scalars.ts';
import { parseFolder } from '../values/folder.ts';
import { draftService, emptyFindings, escapeCommand, toName } from './draft.ts';
import type { DraftService, Findings } from './draft.ts';
import type { FolderReader } from './folder-reader.ts';
import { httpPathIn, listToCommand, readDockerfile } from './from-dockerfile.ts';

export const COMPOSE_FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const words = z.union([z.string(), z.array(scalar)]);
const pairs = z.union([z.array(scalar), z.record(z.string(), z.union([scalar, z.null()]))]);
const named = z.union([z.array(scalar), z.record(z.string(), z.unknown()).transform((map) => Object.keys(map))]);

const composeService = z.object({
  image: z.string().optional().catch(undefined),
  build: z
    .union([
      z.string().transform((context) => ({ context, dockerfile: 'Dockerfile' })),
      z.object({ context: z.string().default('.'), dockerfile: z.string().default('Dockerfile') }),
    ])
    .optional()
    .catch(undefined),
  command: words.optional().catch(undefined),
  entrypoint: words.optional().catch(undefined),
  environment: pairs.optional().catch(undefined),
  env_file: z.unknown().optional(),
  ports: z.array(z.unknown()).catch([]),
  volumes: z.array(z.unknown()).catch([]),
  depends_on: named.catch([]),
  healthcheck: z.object({ test: words.optional() }).optional().catch(undefined),
  deploy: z.object({ replicas: z.number().optional() }).optional().catch(undefined),
});
type ComposeService = z.output<typeof composeService>;
const compose = z.object({ services: z.record(z.string(), composeService.nullable().catch(null)) });

const ENGINES: Record<string, string> = {
  postgres: 'postgres',
  postgis: 'postgres',
  pgvector: 'postgres',
  mysql: 'mysql',
  mariadb: 'mariadb',
  redis: 'redis',
  valkey: 'redis',
  mongo: 'mongodb',
};
const SECRET_NAME = /PASS(WORD|WD|PHRASE)?$|SECRET|TOKEN|(^|_)KEY$|CREDENTIAL|PRIVATE/i;

/** Services that are built here; what only names an image becomes a note. */
export async function fromCompose(text: string, file: string, reader: FolderReader): Promise<Findings> {
  const findings = emptyFindings();
  let parsed: z.output<typeof compose>;
  try {
    parsed = compose.parse(parse(text, { merge: true, logLevel: 'silent', maxAliasCount: 100 }));
  } catch {
    findings.notes.push(`${file} cannot be read`);
    return findings;
  }
  const built = new Map<string, DraftService>();
  for (const [name, service] of Object.entries(parsed.services)) {
    if (service === null) continue;
    if (service.build === undefined) noteImage(name, service, file, findings);
    else {
      const draft = await fromService(name, service, file, reader, findings);
      if (draft !== null) built.set(name, draft);
    }
  }
  const published = [...built.keys()].some((name) => (parsed.services[name]?.ports.length ?? 0) > 0);
  for (const [name, draft] of built) {
    const service = parsed.services[name];
    // An image shared with a server exposes its port; where others publish theirs, a command of one's own is a worker.
    if (published && service?.ports.length === 0 && service.command !== undefined) draft.routes = [];
    draft.after = (service?.depends_on ?? []).flatMap((other) => built.get(other)?.name ?? []);
    draft.env = Object.fromEntries(Object.entries(draft.env).map(([key, value]) => [key, linkServices(value, built)]));
  }
  findings.services.push(...built.values());
  return findings;
}

async function fromService(
  name: string,
  service: ComposeService,
  file: string,
  reader: FolderReader,
  findings: Findings,
): Promise<DraftService | null> {
  const dir = parseFolder(service.build?.context ?? '.');
  if (dir === null || (dir !== '.' && !(await reader.isFolder(dir)))) {
    findings.notes.push(`${file}: the folder of \`${name}\` is not inside this one, so it is left out`);
    return null;
  }
  const dockerfile = parseFolder(service.build?.dockerfile ?? 'Dockerfile');
  const text = dockerfile === null ? null : await reader.read(dir === '.' ? dockerfile : `${dir}/${dockerfile}`);
  const image = text === null ? null : readDockerfile(text);
  const written = [service.entrypoint, service.command].flatMap((part) =>
    part === undefined ? [] : [toCommand(part)],
  );
  const command = written.filter((part) => part !== null).join(' ');
  const run = command === '' ? (image?.run ?? null) : escapeCommand(command.replaceAll('$$', '$'));
  if (image?.hasSteps === true) {
    findings.notes.push(`${file}: the build steps of the image of \`${name}\` are not carried over; see \`build\``);
  }
  if (service.volumes.length > 0) {
    findings.notes.push(`${file}: the volumes of \`${name}\` are not carried over; list its folders under \`data\``);
  }
  if (service.env_file !== undefined) {
    findings.notes.push(`${file}: move the \`env_file\` of \`${name}\` to .env, and name its variables under \`env\``);
  }
  const test = service.healthcheck?.test;
  const health = test === undefined ? (image?.health ?? null) : httpPathIn([test].flat().join(' '));
  if (test !== undefined && health === null) {
    findings.notes.push(`${file}: the healthcheck of \`${name}\` is no http request; give it a path under \`health\``);
  }
  const replicas = service.deploy?.replicas;
  return draftService(name, file, {
    dir,
    run,
    health,
    routes: service.ports.length > 0 || (image?.port ?? null) !== null ? ['/'] : [],
    instances: replicas !== undefined && Number.isInteger(replicas) && replicas > 1 ? Math.min(replicas, 100) : null,
    env: environmentOf(name, service, file, findings),
  });
}

function noteImage(name: string, { image }: ComposeService, file: string, findings: Findings): void {
  if (image === undefined) return;
  const [repository = '', tag = ''] = (image.split('/').at(-1) ?? '').split(':');
  const engine = Object.entries(ENGINES).find(([known]) => repository.startsWith(known))?.[1];
  if (engine === undefined) {
    findings.notes.push(`${file}: \`${name}\` runs the image ${image}; evenkeel runs programs, so start it yourself`);
    return;
  }
  findings.databases.push({ name: toName(name, 'main'), engine, version: /^\d+(\.\d+)*/.exec(tag)?.[0] ?? null });
  findings.notes.push(
    `${file}: evenkeel does not run databases yet; start \`${name}\` (${image}) yourself and give its url`,
  );
}

function environmentOf(service: string, { environment }: ComposeService, file: string, findings: Findings) {
  const entries: [string, string | null][] = Array.isArray(environment)
    ? environment.map((line) => {
        const equals = line.indexOf('=');
        return equals === -1 ? [line, null] : [line.slice(0, equals), line.slice(equals + 1)];
      })
    : Object.entries(environment ?? {});
  const env: Record<string, string> = {};
  for (const [name, value] of entries) {
    if (!new RegExp(VARIABLE_PATTERN).test(name) || name.startsWith('EVENKEEL_')) {
      findings.notes.push(`${file}: a variable of \`${service}\` has a name that cannot be used here`);
    } else if (name === 'PORT') {
      findings.notes.push(`${file}: PORT of \`${service}\` is left out; evenkeel gives each instance its own`);
    } else if (SECRET_NAME.test(name) || /:\/\/[^\s/@:]*:[^\s/@]+@/.test(value ?? '')) {
      if (!findings.secrets.includes(name)) findings.secrets.push(name);
      env[name] = `\${${name}}`;
    } else {
      env[name] = value === null ? `\${${name}:-}` : fromInterpolation(value);
    }
  }
  return env;
}

/** Compose's `$VAR`, `${VAR}` (empty when unset), `${VAR:-x}` and `$$` in our words. */
function fromInterpolation(value: string): string {
  return value.replaceAll(
    /\$\$|\$([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*)(?::?-([^${}]*))?\}|\$\{/g,
    (all, bare?: string, name?: string, fallback?: string) => {
      if (all === '$$') return '$';
      const variable = bare ?? name;
      return variable === undefined ? '$${' : `\${${variable}:-${fallback ?? ''}}`;
    },
  );
}

/** `http://api:3000/v1` -> `${services.api.url}/v1` */
function linkServices(value: string, built: ReadonlyMap<string, DraftService>): string {
  return value.replaceAll(/https?:\/\/([\w.-]+)(?::\d+)?(?=\/|$|[\s,])/g, (all, host: string) => {
    const service = built.get(host);
    return service === undefined || service.run === null ? all : `\${services.${service.name}.url}`;
  });
}

function toCommand(written: string | readonly string[]): string | null {
  return typeof written === 'string' ? written.trim() || null : listToCommand(written);
}
