import { stringify } from 'yaml';

import type { DraftDatabase, DraftService } from './draft.ts';

export interface DraftFile {
  project: string;
  /** Address of the JSON Schema, as the editor resolves it from the file's folder; null leaves the line out. */
  schema: string | null;
  services: readonly DraftService[];
  secrets: readonly string[];
  databases: readonly DraftDatabase[];
}

/** `evenkeel.yaml` with the comments that a newcomer needs. */
export function renderDraft({ project, schema, services, secrets, databases }: DraftFile): string {
  const lines: string[] = [];
  if (schema !== null) lines.push(`# yaml-language-server: $schema=${schema}`);
  lines.push(
    '# What this system runs. `evenkeel check` reads it, `evenkeel up` starts it, `evenkeel deploy` ships a change.',
    '',
    `project: ${scalar(project)}`,
    '',
    'services:',
  );
  services.forEach((service, index) => {
    if (index > 0) lines.push('');
    lines.push(...renderService(service));
  });
  if (secrets.length > 0) {
    lines.push('', '# Kept encrypted on the server: `evenkeel secrets set NAME`. Use them as ${NAME}, in `env` only.');
    lines.push(`secrets: [${secrets.join(', ')}]`);
  }
  if (databases.length > 0) {
    lines.push('', '# Databases that run elsewhere. Every service gets DATABASE_URL (`main`) or NAME_DATABASE_URL.');
    lines.push('# databases:');
    for (const { name, engine, version } of databases) {
      const variable = `${name.toUpperCase().replaceAll('-', '_')}_URL`;
      const about = version === null ? `engine: ${engine}` : `engine: ${engine}, version: ${version}`;
      lines.push(`#   ${name}: { ${about}, url: "\${${variable}}" }`);
    }
  }
  lines.push(
    '',
    '# `development` and `production` exist without being written. Say here what is different in one of them.',
    '# environments:',
    '#   production:',
    '#     domain: www.example.com',
    '#     port: 8090                      # on a machine that runs development, too',
    '#     approve: { people: 1 }          # somebody must agree to a rollout',
    '#     rollout:',
    '#       canary: [{ weight: 10, for: 10m }, { weight: 50, for: 5m }]   # the default',
    '#       analysis: { errorRate: "< 1%", p95: "< 1s" }                  # the default',
    '#       rollbackWindow: 1h                                            # the default',
  );
  return `${lines.join('\n')}\n`;
}

function renderService(service: DraftService): string[] {
  const lines = [
    service.source === ''
      ? '  # Change it to the command that starts your program.'
      : `  # from ${comment(service.source)}`,
    `  ${service.name}:`,
  ];
  const add = (key: string, value: string | number | null, note?: string): void => {
    if (value === null) return;
    const written = `    ${key}: ${typeof value === 'number' ? value : scalar(value)}`;
    lines.push(note === undefined ? written : `${written.padEnd(40)} # ${note}`);
  };
  if (service.dir !== '.') add('dir', service.dir);
  add('build', service.build, 'in a clean copy of the project');
  add('migrate', service.migrate, 'before the new release starts');
  if (service.static === null) add('run', service.run, service.routes.length > 0 ? 'must listen on $PORT' : undefined);
  else add('static', service.static, `served by the edge${service.build === null ? '' : ', after `build`'}`);
  add('dev', service.dev, 'for `evenkeel dev`');
  if (service.routes.length > 0) {
    lines.push(`    routes: [${service.routes.map(scalar).join(', ')}]`);
    const times = Object.entries(service.healthTimes).map(([key, value]) => `, ${key}: ${value}`);
    if (service.health !== null && times.length > 0)
      lines.push(`    health: { path: ${scalar(service.health)}${times.join('')} }`);
    else if (service.health !== null) add('health', service.health, 'answers 2xx when all is well');
    else if (service.static === null)
      lines.push('    # health: /health                    # a path that answers 2xx when all is well');
  }
  add('instances', service.instances);
  const limits = [
    service.memory === null ? null : `memory: ${service.memory}`,
    service.cpu === null ? null : `cpu: ${service.cpu}`,
  ].filter((limit) => limit !== null);
  if (limits.length > 0) lines.push(`    resources: { ${limits.join(', ')} }`);
  if (service.data.length > 0) lines.push(`    data: [${service.data.map(scalar).join(', ')}]`);
  add('stopGrace', service.stopGrace);
  if (service.after.length > 0) lines.push(`    after: [${service.after.join(', ')}]`);
  const env = Object.entries(service.env);
  if (env.length > 0) {
    lines.push('    env:');
    for (const [name, value] of env) lines.push(`      ${name}: ${scalar(value)}`);
  }
  return lines;
}

/** On one line, quoted where YAML needs it. */
function scalar(value: string): string {
  const plain = stringify(value, { lineWidth: 0, blockQuote: false }).trim();
  // In a list between brackets more needs quotes than elsewhere; `${...}` reads better with them anyway.
  return plain === value && /[,[\]{}]/.test(value) ? JSON.stringify(value) : plain;
}

function comment(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ');
}
