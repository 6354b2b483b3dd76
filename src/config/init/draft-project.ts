import { basename, resolve } from 'node:path';

import { FILE_NAME } from '../find-file.ts';
import { readProject } from '../load-project.ts';
import { dependencyOrder } from '../resolve/order.ts';
import { draftService, toName } from './draft.ts';
import type { DraftService, Findings } from './draft.ts';
import { diskReader } from './folder-reader.ts';
import type { FolderReader } from './folder-reader.ts';
import { fromCompose } from './from-compose.ts';
import { readDockerfile } from './from-dockerfile.ts';
import { buildOf, fromPackages, migrateOf, packageTool, readManifest } from './from-package.ts';
import { fromProcfile } from './from-procfile.ts';
import { renderDraft } from './render-draft.ts';
import { schemaAddress } from './schema-address.ts';

export interface Draft {
  /** The text of `evenkeel.yaml`; loads without errors. */
  yaml: string;
  /** What could not be carried over and what to look at, one sentence each. */
  notes: string[];
  /** The files that were used. */
  sources: string[];
}

const STATIC_FOLDERS = ['public', 'dist', 'build', '_site', 'site', 'www', 'html'];

/** Drafts a file for the project in `root`, from what is there. Reads only. */
export async function draftProject(root: string): Promise<Draft> {
  const reader = { ...diskReader(root), name: basename(resolve(root)) };
  const { services, ...findings } = await findServices(reader);
  const manifest = await readManifest(reader, '.');
  const project = findings.project ?? toName(manifest?.name ?? reader.name);
  const schema = await schemaAddress(root);
  const finish = (
    chosen: readonly DraftService[],
    notes: readonly string[],
    extra: Omit<Findings, 'services'>,
  ): Draft => ({
    yaml: renderDraft({ project, schema, services: chosen, secrets: extra.secrets, databases: extra.databases }),
    notes: [...new Set(notes)],
    sources: [...new Set(chosen.map(({ source }) => source).filter((source) => source !== NOTHING))],
  });
  const draft = finish(services, findings.notes, findings);
  if (await loads(draft.yaml, root)) return draft;
  // Better a short file that works than a long one that does not.
  const note = 'what was found does not make a file that can be loaded, so this is an empty one';
  return finish([skeleton()], [...findings.notes, note], { notes: [], secrets: [], databases: [] });
}

async function loads(yaml: string, root: string): Promise<boolean> {
  for (const environment of ['development', 'production']) {
    const result = await readProject(yaml, root, { environment, processEnv: {} });
    // A broken .env file is a matter of its own.
    if (!result.ok && result.problems.some(({ file, severity }) => file === FILE_NAME && severity === 'error'))
      return false;
  }
  return true;
}

async function findServices(reader: FolderReader): Promise<Findings> {
  const packages = await fromPackages(reader);
  const procfile = await readProcfile(reader);
  const compose = await fromCompose(reader);
  const notes = [...compose.notes, ...procfile.notes, ...packages.notes];

  // The more a file was written to say how the system runs, the earlier it is believed, and then as a whole.
  const choices = [
    await completed(compose.services, reader, notes),
    await completed(procfile.services, reader, notes),
    packages.services,
  ];
  const chosen = choices.find((found) => found.length > 0) ?? [];
  const services = [...chosen];
  for (const left of choices.flat().filter((service) => !chosen.includes(service))) {
    if (chosen.some(({ dir, name }) => dir === left.dir && (name === left.name || left.source !== 'Procfile')))
      continue;
    notes.push(`${left.source}: \`${left.name}\` is left out; ${chosen[0]?.source} was taken for the whole system`);
  }
  if (services.length === 0) services.push(...(await fromDockerfile(reader, notes)));
  if (services.length === 0) services.push(...(await fromStaticFolder(reader, notes)));
  if (services.length === 0) {
    notes.push('nothing here says how the system is started: write the command under `run`');
    services.push(skeleton());
  }
  routeAll(services, notes);
  uniqueNames(services);
  breakCycles(services, notes);
  // Of a source that was not chosen nothing is used, and so nothing is declared.
  const from = services.some(({ source }) => source === 'Procfile') ? procfile : compose;
  for (const secret of from.secrets) notes.push(`${secret} looks like a secret: evenkeel secrets set ${secret}`);
  const { project } = compose;
  return {
    services,
    notes,
    secrets: from.secrets,
    databases: compose.databases,
    ...(project === undefined ? {} : { project }),
  };
}

async function readProcfile(reader: FolderReader): Promise<Findings> {
  const text = await reader.read('Procfile');
  const found = fromProcfile(text ?? '', text === null ? null : await reader.read('.env'));
  const others = (await reader.files('.')).filter((name) => /^Procfile\.\w+$/i.test(name));
  for (const name of others)
    found.notes.push(`${name} is not read: write what differs in an environment under \`environments\``);
  return found;
}

/** Adds what package.json knows about building and migrating; leaves out what has no command at all. */
async function completed(
  services: readonly DraftService[],
  reader: FolderReader,
  notes: string[],
): Promise<DraftService[]> {
  const tool = await packageTool(reader);
  const migrated = new Set<string>();
  const found: DraftService[] = [];
  for (const service of services) {
    const manifest = await readManifest(reader, service.dir);
    const run = service.run ?? (manifest?.scripts['start'] === undefined ? null : tool.run('start'));
    if (run === null) {
      notes.push(`${service.source}: nothing says what \`${service.name}\` runs, so it is left out`);
      continue;
    }
    const migrate = manifest === null || migrated.has(service.dir) ? null : migrateOf(manifest, tool);
    migrated.add(service.dir);
    const build = service.build ?? (manifest === null ? null : buildOf(manifest, tool));
    found.push({ ...service, run, build, migrate: service.migrate ?? migrate });
  }
  return found;
}

async function fromDockerfile(reader: FolderReader, notes: string[]): Promise<DraftService[]> {
  const text = await reader.read('Dockerfile');
  const image = text === null ? null : readDockerfile(text);
  if (image === null) return [];
  if (image.run === null) {
    notes.push('Dockerfile has neither CMD nor ENTRYPOINT in its last stage');
    return [];
  }
  if (image.hasSteps) notes.push('Dockerfile: its RUN steps are not carried over; write them under `build`');
  if (image.port !== null) {
    notes.push(`Dockerfile exposes ${image.port}; here the program must listen on $PORT`);
  }
  const routes = image.port === null ? [] : ['/'];
  const { run, health } = image;
  return [draftService(toName(reader.name), 'Dockerfile', { run, health, routes })];
}

async function fromStaticFolder(reader: FolderReader, notes: string[]): Promise<DraftService[]> {
  for (const folder of STATIC_FOLDERS) {
    if ((await reader.read(`${folder}/index.html`)) === null) continue;
    return [draftService('web', `${folder}/index.html`, { static: folder, routes: ['/'] })];
  }
  if ((await reader.read('index.html')) !== null) {
    notes.push(
      'index.html lies in the folder itself, where everything would be served: move the pages to a folder such as public, then `evenkeel init --force`',
    );
  }
  return [];
}

/** The source of what is only a beginning. */
const NOTHING = '';

function skeleton(): DraftService {
  return draftService('web', NOTHING, { run: 'node server.js', routes: ['/'] });
}

/** One service gets `/`; others that want traffic get a path of their own. */
function routeAll(services: readonly DraftService[], notes: string[]): void {
  const given = services.filter(({ routes }) => routes.some((route) => route !== '/'));
  const taken = new Set<string>();
  for (const service of given) {
    const [mine, others] = [[] as string[], [] as string[]];
    for (const route of service.routes) (taken.has(route) ? others : mine).push(route);
    for (const route of mine) taken.add(route);
    if (others.length > 0)
      notes.push(`${others.join(', ')} belongs to two services, and is left out of \`${service.name}\``);
    service.routes = mine;
  }
  const explicit = services.filter((service) => service.routes.length > 0 && !given.includes(service));
  const fallback = services.filter(
    (service) => service.source.endsWith('package.json') && !explicit.includes(service) && !given.includes(service),
  );
  const wanting = [...explicit, ...fallback];
  const front = taken.has('/')
    ? undefined
    : (wanting.find(({ static: folder }) => folder !== null) ??
      wanting.find(({ name }) => /^(web|www|site|frontend|front|client|ui|app)$/.test(name)) ??
      wanting[0]);
  for (const service of wanting) service.routes = service === front ? ['/'] : [`/${service.name}`];
  const others = wanting.filter((service) => service !== front).map(({ name }) => `\`${name}\``);
  if (others.length > 0) {
    notes.push(`the routes of ${others.join(', ')} are a guess: change them, or take them out for a worker`);
  }
}

function uniqueNames(services: readonly DraftService[]): void {
  const taken = new Set<string>();
  for (const service of services) {
    const wanted = service.name;
    for (let count = 2; taken.has(service.name); count++) service.name = `${wanted.slice(0, 36)}-${count}`;
    taken.add(service.name);
    if (service.name !== wanted) {
      service.routes = service.routes.map((route) => (route === `/${wanted}` ? `/${service.name}` : route));
    }
  }
}

function breakCycles(services: readonly DraftService[], notes: string[]): void {
  const known = new Set(services.map(({ name }) => name));
  for (const service of services) {
    service.after = [...new Set(service.after)].filter((name) => known.has(name) && name !== service.name);
  }
  for (;;) {
    const order = dependencyOrder(new Map(services.map(({ name, after }) => [name, after])));
    if (order.ok) return;
    const [from, to] = order.cycle;
    const service = services.find(({ name }) => name === from);
    if (service === undefined) return;
    service.after = service.after.filter((name) => name !== to);
    notes.push(`\`${from}\` and \`${to}\` wait for each other: \`after\` was left out of \`${from}\``);
  }
}
