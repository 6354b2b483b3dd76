import { invalid } from '../core/google-error.ts';
import type { Container, Program, Template } from './shapes.ts';

const NAME = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const LONGEST = { service: 49, job: 49, revision: 63 } as const;

/** Set by Cloud Run itself. */
const RESERVED_ENV = new Set(['PORT', 'K_SERVICE', 'K_REVISION', 'K_CONFIGURATION']);

const bad = (field: string, description: string) => invalid(`${field}: ${description}`, [{ field, description }]);

/** Throws 400 for a name that Cloud Run does not take. */
export function checkName(kind: keyof typeof LONGEST, name: string): void {
  if (NAME.test(name) && name.length <= LONGEST[kind]) return;
  throw bad(
    `${kind}_id`,
    `Only lowercase, digits, and hyphens are allowed in '${name}'; it must begin with a letter, cannot end with a hyphen, and must be at most ${LONGEST[kind]} characters long.`,
  );
}

/** Fills what Cloud Run fills in a template of a service, and throws 400 for what it refuses. */
export function checkTemplate(template: Template): Template {
  const containers = checkProgram(template, 'template');
  const ingress = containers.filter(({ ports }) => (ports?.length ?? 0) > 0);
  if (containers.length > 1 && ingress.length !== 1)
    throw bad('template.containers', 'Revision template should contain exactly one container with an exposed port.');
  const filled = containers.map((container, index) => {
    const serves = containers.length === 1 || container === ingress[0] || (ingress.length === 0 && index === 0);
    return withDefaults(container, serves);
  });
  const { scaling = {}, maxInstanceRequestConcurrency: concurrency = 80 } = template;
  const { minInstanceCount: least = 0, maxInstanceCount: most = 100 } = scaling;
  if (least < 0 || most < 1) throw bad('template.scaling', 'instance counts must not be negative.');
  if (least > most)
    throw bad('template.scaling', `min instances (${least}) must not be greater than max instances (${most}).`);
  if (concurrency < 1 || concurrency > 1000)
    throw bad('template.max_instance_request_concurrency', 'must be between 1 and 1000.');
  const timeout = seconds(template.timeout ?? '300s');
  if (timeout < 1 || timeout > 3600) throw bad('template.timeout', 'must be between 1 second and 3600 seconds.');
  return {
    ...template,
    containers: filled,
    scaling: { ...(least > 0 ? { minInstanceCount: least } : {}), maxInstanceCount: most },
    maxInstanceRequestConcurrency: concurrency,
    timeout: `${timeout}s`,
  };
}

/** What services and jobs have in common. */
export function checkProgram(program: Program, at: string): Container[] {
  const containers = program.containers ?? [];
  if (containers.length === 0) throw bad(`${at}.containers`, 'must have at least one container.');
  for (const [index, container] of containers.entries()) {
    const field = `${at}.containers[${index}]`;
    if (container.image === undefined || container.image === '') throw bad(`${field}.image`, 'must not be empty.');
    checkEnv(container, field);
    checkLimits(container, field);
    const port = container.ports?.[0]?.containerPort;
    if (port !== undefined && (port < 1 || port > 65_535)) throw bad(`${field}.ports`, 'must be between 1 and 65535.');
    for (const mount of container.volumeMounts ?? []) {
      if (!(program.volumes ?? []).some(({ name }) => name === mount.name))
        throw bad(`${field}.volume_mounts`, `volume '${mount.name ?? ''}' is not declared.`);
    }
  }
  for (const { cloudSqlInstance } of program.volumes ?? []) {
    for (const instance of cloudSqlInstance?.instances ?? []) {
      if (!/^[^:\s]+(:[^:\s]+)?:[^:\s]+:[^:\s]+$/.test(instance))
        throw bad(`${at}.volumes`, `Cloud SQL instance '${instance}' must be of the form PROJECT:REGION:INSTANCE.`);
    }
  }
  return containers;
}

function checkEnv({ env = [] }: Container, field: string): void {
  const seen = new Set<string>();
  for (const [index, { name, value, valueSource }] of env.entries()) {
    const at = `${field}.env[${index}]`;
    if (name === undefined || name === '' || /[=\0]/.test(name)) throw bad(`${at}.name`, 'is not a valid name.');
    if (RESERVED_ENV.has(name))
      throw bad(
        `${field}.env`,
        `The following reserved env names were provided: ${name}. These values are automatically set by the system.`,
      );
    if (seen.has(name)) throw bad(at, `environment variable ${name} is set more than once.`);
    seen.add(name);
    if (value !== undefined && value !== '' && valueSource !== undefined)
      throw bad(at, 'must have either a value or a value source, not both.');
    if (valueSource !== undefined && (valueSource.secretKeyRef?.secret ?? '') === '')
      throw bad(`${at}.value_source.secret_key_ref.secret`, 'must not be empty.');
  }
}

function checkLimits({ resources }: Container, field: string): void {
  const { memory, cpu } = resources?.limits ?? {};
  if (memory !== undefined && bytes(memory) === null)
    throw bad(`${field}.resources.limits.memory`, `'${memory}' is not a valid quantity.`);
  if (cpu !== undefined && cores(cpu) === null)
    throw bad(`${field}.resources.limits.cpu`, `'${cpu}' is not a valid quantity.`);
  const needed = memory === undefined ? 0 : (bytes(memory) ?? 0);
  const have = cpu === undefined ? 1 : (cores(cpu) ?? 1);
  // The table of Cloud Run: more than 4 GiB needs 2 CPUs, more than 8 needs 4, more than 16 needs 6, more than 24 needs 8.
  const least = [24, 16, 8, 4].findIndex((gib) => needed > gib * 1024 ** 3);
  const wanted = [8, 6, 4, 2][least] ?? 0;
  if (have < wanted)
    throw bad(
      `${field}.resources.limits.memory`,
      `memory ${memory ?? ''} needs at least ${wanted} CPU, got ${cpu ?? 1}.`,
    );
}

const UNITS: Record<string, number> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 };

function bytes(text: string): number | null {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kKMG]i?)?$/.exec(text) ?? [];
  const factor = UNITS[unit];
  return number === undefined || factor === undefined ? null : Number(number) * factor;
}

function cores(text: string): number | null {
  const [, number, milli] = /^(\d+(?:\.\d+)?)(m)?$/.exec(text) ?? [];
  if (number === undefined) return null;
  return Number(number) / (milli === undefined ? 1 : 1000);
}

/** Seconds of a duration such as `300s`. */
export const seconds = (duration: string): number => Number(/^(\d+(?:\.\d+)?)s$/.exec(duration)?.[1] ?? Number.NaN);

function withDefaults(container: Container, serves: boolean): Container {
  const limits = { cpu: '1000m', memory: '512Mi', ...container.resources?.limits };
  const resources = { ...container.resources, limits };
  if (!serves) return { ...container, resources };
  const ports = container.ports?.length ? container.ports : [{ name: 'http1', containerPort: 8080 }];
  const port = ports[0]?.containerPort ?? 8080;
  const startupProbe = container.startupProbe ?? {
    timeoutSeconds: 240,
    periodSeconds: 240,
    failureThreshold: 1,
    tcpSocket: { port },
  };
  return { ...container, resources, ports, startupProbe };
}
