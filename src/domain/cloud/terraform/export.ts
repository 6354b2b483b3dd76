import type { CloudConfig } from '../config.ts';
import {
  type Address,
  addressOf,
  type Desired,
  type Kind,
  type Labels,
  type Observed,
  ownLabels,
} from '../resource.ts';
import { type Body, block, comment, type Item, raw, set, writeHcl } from './hcl.ts';
import { importId } from './import-id.ts';
import { labelsOf, localNames, TYPES } from './local-names.ts';
import { moduleNames, nameIn } from './module-names.ts';
import { bodyOf, resourceBlock } from './resources.ts';
import type { Scope } from './scope.ts';
import { everybodyMay, serviceBlocks } from './services.ts';

export interface TerraformEnvironment {
  project: string;
  environment: string;
  config: CloudConfig;
  desired: readonly Desired[];
  /** What is there already and goes on under Terraform; of other people's things nothing is exported. */
  observed: readonly Observed[];
}

export interface TerraformFile {
  /** Relative to the folder of the export. */
  path: string;
  content: string;
}

export interface TerraformExport {
  files: TerraformFile[];
  /** What the export could not say, for a person to read. */
  notes: string[];
}

/** In which file of its module a kind is. */
const FILES: Record<string, readonly Kind[]> = {
  'apis.tf': ['api'],
  'identity.tf': ['account', 'role', 'audit-logs'],
  'images.tf': ['repository'],
  'buckets.tf': ['bucket'],
  'network.tf': ['connector'],
  'database.tf': ['sql-instance', 'sql-database', 'sql-user'],
  'secrets.tf': ['secret'],
  'watching.tf': ['log-retention', 'alert-channel', 'uptime-check', 'alert-policy', 'budget'],
};

/** One module for each environment, and a root that calls them and takes over what is there already. */
export function exportTerraform(environments: readonly TerraformEnvironment[]): TerraformExport {
  const modules = environments.map(moduleOf);
  const names = moduleNames(environments);
  const notes = [
    ...modules.flatMap((module) => module.notes),
    ...environments.flatMap((each) => imagesMissing(each, nameIn(names, each))),
  ];
  const root: TerraformFile[] = [
    { path: 'main.tf', content: writeHcl([...required(environments), ...calls(environments, names)]) },
    { path: 'variables.tf', content: writeHcl(rootVariables(environments, names)) },
    { path: 'outputs.tf', content: writeHcl(environments.map((each) => urlsOutput(nameIn(names, each)))) },
  ];
  const imports = environments.flatMap((each, index): TerraformFile[] => {
    const found = modules[index]?.imports ?? [];
    if (found.length === 0) return [];
    const name = nameIn(names, each);
    const body = found.map(({ to, id }) => block('import', [set('to', raw(`module.${name}.${to}`)), set('id', id)]));
    return [{ path: `import-${each.environment}.tf`, content: writeHcl(body) }];
  });
  const files = [...root, ...imports, ...modules.flatMap((module) => module.files)];
  return { files: files.filter(({ content }) => content !== ''), notes };
}

interface Module {
  files: TerraformFile[];
  imports: { to: string; id: string }[];
  notes: string[];
}

function moduleOf(environment: TerraformEnvironment): Module {
  const { config, desired } = environment;
  const services = config.runsServices ? config.services : [];
  const locals = localNames([
    ...desired.filter(({ kind }) => kind !== 'service'),
    ...services.map(({ name }) => ({ kind: 'service' as const, name })),
  ]);
  const scope: Scope = { cloudProject: config.project, region: config.region, locals };
  const labels: Labels = { ...config.labels, ...ownLabels(environment) };
  const needsOf = (name: string) => desired.find((each) => each.kind === 'service' && each.name === name)?.needs ?? [];
  const parts: [string, Body][] = [
    ...Object.entries(FILES).map(([file, kinds]): [string, Body] => [file, resourcesOf(desired, kinds, scope)]),
    ['services.tf', services.flatMap((each) => serviceBlocks(each, { config, labels, needsOf }, scope))],
    ['variables.tf', moduleVariables(environment)],
    ['outputs.tf', [block('output', [set('value', urlsOf(services, scope))], 'urls')]],
    ['versions.tf', [versions()]],
  ];
  const folder = folderOf(environment);
  const files = parts.map(([file, body]) => ({ path: `${folder}/${file}`, content: writeHcl(body) }));
  return { files: files.filter(({ content }) => content !== ''), ...importsOf(environment, scope) };
}

const folderOf = ({ environment }: TerraformEnvironment): string => `environments/${environment}`;

function resourcesOf(desired: readonly Desired[], kinds: readonly Kind[], scope: Scope): Item[] {
  const items: Item[] = [];
  if (kinds.includes('budget') && desired.some(({ kind }) => kind === 'budget')) {
    items.push(block('data', [set('project_id', raw('var.project'))], 'google_project', 'this'));
  }
  for (const resource of desired.filter(({ kind }) => kinds.includes(kind))) {
    const local = scope.locals.get(addressOf(resource));
    const body = bodyOf(resource, scope);
    if (local === undefined || body === null) continue;
    items.push(resourceBlock(local, body, resource.needs, scope));
    if (resource.kind === 'bucket' && resource.attributes.public) items.push(everybodyReads(local));
  }
  return items;
}

const readersOf = (bucket: string): string => `google_storage_bucket_iam_member.${labelsOf(bucket)[1]}`;

const everybodyReads = (bucket: string): Item =>
  block(
    'resource',
    [set('bucket', raw(`${bucket}.name`)), set('role', 'roles/storage.objectViewer'), set('member', 'allUsers')],
    ...labelsOf(readersOf(bucket)),
  );

function importsOf(environment: TerraformEnvironment, scope: Scope): Pick<Module, 'imports' | 'notes'> {
  const seen = new Map(environment.observed.map((each): [Address, Observed] => [addressOf(each), each]));
  const imports: Module['imports'] = [];
  const notes: string[] = [];
  const add = (address: Address, desired: Desired | null): void => {
    const to = scope.locals.get(address);
    const observed = seen.get(address);
    if (to === undefined || observed === undefined) return;
    // A service is written from the file alone; its place is all that its import needs.
    const id = importId(desired ?? { ...observed, needs: [] }, observed, scope);
    if (id === null) {
      notes.push(`${address} is there but its id is unknown: look it up, then terraform import 'module.….${to}' ID`);
      return;
    }
    imports.push({ to, id });
    if (observed.kind === 'bucket' && observed.attributes.public && desired?.kind === 'bucket') {
      if (desired.attributes.public) {
        imports.push({ to: readersOf(to), id: `b/${observed.name} roles/storage.objectViewer allUsers` });
      }
    }
    if (observed.kind === 'service' && observed.attributes.public && isPublic(environment, observed.name)) {
      imports.push({ to: everybodyMay(to), id: `${id} roles/run.invoker allUsers` });
    }
  };
  for (const resource of environment.desired) {
    if (resource.kind !== 'service' && TYPES[resource.kind] !== null) add(addressOf(resource), resource);
  }
  for (const { name } of environment.config.services) add(`service/${name}`, null);
  return { imports, notes };
}

const isPublic = ({ config }: TerraformEnvironment, name: string): boolean =>
  config.services.some((each) => each.name === name && each.public);

function urlsOf(services: CloudConfig['services'], { locals }: Scope): Record<string, ReturnType<typeof raw>> {
  const urls = services.map(
    ({ service, name }) => [service, raw(`${locals.get(`service/${name}`) ?? ''}.uri`)] as const,
  );
  return Object.fromEntries(urls);
}

const hasBudget = ({ desired }: TerraformEnvironment): boolean => desired.some(({ kind }) => kind === 'budget');

const MAP = raw('map(string)');

const variable = (name: string, description: string, ...more: Body): Item =>
  block('variable', [set('type', raw('string')), set('description', description), ...more], name);

const mapVariable = (name: string, description: string, ...more: Body): Item =>
  block('variable', [set('type', MAP), set('description', description), ...more], name);

const PASSWORDS = 'Password of each database user. One that is not given stays as it is.';
const IMAGES = 'Image of each service, with its tag or digest.';

function moduleVariables(environment: TerraformEnvironment): Body {
  return [
    variable('project', 'Id of the cloud project.'),
    variable('project_number', 'Number of the cloud project; the addresses of its services have it.'),
    variable('region', 'Region of everything that has one.'),
    mapVariable('images', IMAGES),
    mapVariable('passwords', PASSWORDS, set('sensitive', true), set('default', {})),
    mapVariable('urls', 'Addresses of services that are not in this module.', set('default', {})),
    hasBudget(environment) && variable('billing_account', 'Id of the billing account that has the budget.'),
  ];
}

/** The images that run now, so that the first plan changes nothing. */
function imagesOf({ config, observed }: TerraformEnvironment): Record<string, string> {
  const images = (config.runsServices ? config.services : []).map(({ service, name, image }) => {
    const running = observed.find((each) => each.kind === 'service' && each.name === name);
    return [service, image ?? (running?.kind === 'service' ? running.attributes.image : null)] as const;
  });
  return Object.fromEntries(images.filter((each): each is readonly [string, string] => each[1] !== null));
}

/** Where one is known, nobody is asked for it. */
function billingAccountOf(environments: readonly TerraformEnvironment[]): Body {
  const ids = environments.flatMap(({ observed }) =>
    observed.flatMap(({ kind, id }) => (kind === 'budget' ? [id] : [])),
  );
  const [account] = ids.flatMap((id) => /^billingAccounts\/([^/]+)\//.exec(id ?? '')?.[1] ?? []);
  return account === undefined ? [] : [set('default', account)];
}

/** Terraform cannot make a service without one, and says so in words of its own. */
function imagesMissing(environment: TerraformEnvironment, name: string): string[] {
  const known = imagesOf(environment);
  const missing = (environment.config.runsServices ? environment.config.services : [])
    .map(({ service }) => service)
    .filter((service) => !(service in known));
  if (missing.length === 0) return [];
  return [
    `No image is known of ${missing.join(', ')}: deploy first, or give ${missing.length === 1 ? 'it' : 'them'} as TF_VAR_${name}_images.`,
  ];
}

function rootVariables(environments: readonly TerraformEnvironment[], names: ReadonlyMap<string, string>): Body {
  return [
    ...environments.flatMap((each) => {
      const name = nameIn(names, each);
      return [
        mapVariable(`${name}_images`, `${each.environment}: ${IMAGES}`, set('default', imagesOf(each))),
        mapVariable(
          `${name}_passwords`,
          `${each.environment}: ${PASSWORDS} Give it as TF_VAR_${name}_passwords.`,
          set('sensitive', true),
          set('default', {}),
        ),
      ];
    }),
    environments.some(hasBudget) &&
      variable('billing_account', 'Id of the billing account that has the budgets.', ...billingAccountOf(environments)),
  ];
}

function calls(environments: readonly TerraformEnvironment[], names: ReadonlyMap<string, string>): Item[] {
  return environments.flatMap((each) => {
    const name = nameIn(names, each);
    return [
      block('data', [set('project_id', each.config.project)], 'google_project', name),
      block(
        'module',
        [
          set('source', `./${folderOf(each)}`),
          set('project', each.config.project),
          set('project_number', raw(`data.google_project.${name}.number`)),
          set('region', each.config.region),
          set('images', raw(`var.${name}_images`)),
          set('passwords', raw(`var.${name}_passwords`)),
          ...(hasBudget(each) ? [set('billing_account', raw('var.billing_account'))] : []),
        ],
        name,
      ),
    ];
  });
}

const urlsOutput = (name: string): Item => block('output', [set('value', raw(`module.${name}.urls`))], `${name}_urls`);

const versions = (): Item =>
  block('terraform', [
    set('required_version', '>= 1.5.0'),
    block('required_providers', [set('google', { source: 'hashicorp/google', version: '~> 6.0' })]),
  ]);

const required = (environments: readonly TerraformEnvironment[]): Item[] => [
  comment('Passwords and values of secrets are in none of these files: they stay in Secret Manager.'),
  versions(),
  ...provider(environments),
];

/** The API of budgets wants to know which project asks. */
function provider(environments: readonly TerraformEnvironment[]): Item[] {
  const asking = environments.find(hasBudget);
  if (asking === undefined) return [];
  const body = [set('user_project_override', true), set('billing_project', asking.config.project)];
  return [block('provider', body, 'google')];
}
