import { parseEnvFile } from '../../env-file.ts';
import { VARIABLE_PATTERN } from '../../schema/scalars.ts';
import { interpolate, resolved } from './interpolate.ts';
import { isMap, listOf, looksSecret, namesOf, pairsOf, quoted, scalarText, useSecret } from './model.ts';
import type { ComposeContext, ComposeService } from './model.ts';

/** Which file each variable came from, to notice one name with two values. */
export type EnvFileOwners = Map<string, string>;

/** `env_file`, `environment` and `secrets` as `env`. Values of files and of secrets are not copied. */
export async function environmentOf(
  service: ComposeService,
  context: ComposeContext,
  owners: EnvFileOwners,
): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const entry of listOf(service.raw['env_file'])) await addFile(env, entry, service, context, owners);
  for (const [name, value] of pairsOf(service.raw['environment'])) addVariable(env, name, value, service, context);
  addSecrets(env, service, context);
  return env;
}

async function addFile(
  env: Record<string, string>,
  entry: unknown,
  { name }: ComposeService,
  context: ComposeContext,
  owners: EnvFileOwners,
): Promise<void> {
  const { reader, note, known, findings } = context;
  const written = isMap(entry) ? scalarText(entry['path']) : scalarText(entry);
  const file = written === null ? null : resolved(written, known).replace(/^\.\//, '');
  const text = file === null ? null : await reader.read(file);
  if (file === null || text === null) {
    note(`the \`env_file\` ${file ?? ''} of \`${name}\` is not there: name its variables under \`env\``);
    return;
  }
  if (isMap(entry) && entry['format'] === 'raw') note(`the \`env_file\` ${file} of \`${name}\` is not read as \`raw\``);
  const { values, problems } = parseEnvFile(text, file);
  for (const { line } of problems) note(`${file} line ${line} is no NAME=value, and is left out`);
  const names: string[] = [];
  for (const [variable, value] of values) {
    if (!isOurs(variable, name, context)) continue;
    names.push(variable);
    env[variable] = looksSecret(variable, value) ? useSecret(variable, findings) : `\${${variable}:-}`;
    const owner = owners.get(variable);
    if (owner !== undefined && owner !== file) note(`${variable} is in ${owner} and in ${file}: give one another name`);
    owners.set(variable, file);
    if (value.includes('${')) note(`${variable} in ${file} refers to other variables, which are not filled in here`);
  }
  // evenkeel reads `.env` by itself. Values that lie elsewhere are nobody's to copy into a file that is committed.
  if (file !== '.env' && names.length > 0)
    note(`the \`env_file\` ${file} of \`${name}\`: move its lines (${names.join(', ')}) to .env or .env.ENVIRONMENT`);
}

function addVariable(
  env: Record<string, string>,
  name: string,
  value: string | null,
  service: ComposeService,
  context: ComposeContext,
): void {
  const { note, findings } = context;
  if (!isOurs(name, service.name, context)) return;
  if (looksSecret(name, value)) {
    env[name] = useSecret(name, findings);
    return;
  }
  env[name] = value === null ? `\${${name}:-}` : interpolate(value, `\`${name}\` of \`${service.name}\``, context);
  if (/(^|[\s=:])\/(run\/secrets|app|usr|var|data|etc)\//.test(value ?? ''))
    note(`\`${name}\` of \`${service.name}\` names a path of the container: give the path on this machine`);
}

function isOurs(name: string, service: string, { note }: ComposeContext): boolean {
  if (!new RegExp(VARIABLE_PATTERN).test(name) || name.startsWith('EVENKEEL_')) {
    note(`a variable of \`${service}\` has a name that cannot be used here`);
    return false;
  }
  if (name === 'PORT') {
    note(`PORT of \`${service}\` is left out; evenkeel gives each instance its own`);
    return false;
  }
  return true;
}

/** What compose mounts as a file evenkeel gives as a variable. */
function addSecrets(
  env: Record<string, string>,
  { name, raw }: ComposeService,
  { findings, note }: ComposeContext,
): void {
  const secrets = isMap(raw['secrets'])
    ? namesOf(raw['secrets'])
    : listOf(raw['secrets']).flatMap((each) => scalarText(isMap(each) ? each['source'] : each) ?? []);
  if (secrets.length === 0) return;
  const variables = secrets.map((secret) => {
    const used = useSecret(secret.replaceAll(/\W/g, '_'), findings);
    const variable = used.slice(2, -1);
    env[variable] = used;
    return variable;
  });
  note(
    `the secrets ${quoted(secrets)} of \`${name}\` are no files in /run/secrets here: read ${variables.join(', ')} from the environment`,
  );
}
