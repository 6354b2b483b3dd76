import type { Document, Operation, Schema } from './document.ts';
import { resolved } from './fields.ts';

type Schemas = Document['components']['schemas'];

const NAMES: Readonly<Record<string, unknown>> = {
  project: 'shop',
  environment: 'production',
  environments: 'staging,production',
  service: 'api',
  services: ['api'],
  release: 'api@42',
  organization: 'default',
  login: 'ann',
  role: 'operator',
  rollout: 'ROLLOUT',
  user: 'USER',
  from: 'staging',
};

const TIMES: Readonly<Record<string, number>> = { from: 1_790_000_000_000, to: 1_790_003_600_000 };
/** What is made there, and is not there yet. */
const IN_PATH: Readonly<Record<string, string>> = { role: 'deployers', name: 'API_KEY' };

/** As few fields as it takes, with values that could be meant. */
function exampleOf(schema: Schema, schemas: Schemas, name = '', depth = 0): unknown {
  const { schema: here } = resolved(schema, schemas);
  const known = NAMES[name];
  if (known !== undefined && typeof known === (here.type === 'array' ? 'object' : (here.type ?? 'string')))
    return known;
  if (here.default !== undefined) return here.default;
  if (here.const !== undefined) return here.const;
  if (here.enum !== undefined) return here.enum[0];
  const [choice] = here.anyOf ?? here.oneOf ?? here.allOf ?? [];
  if (choice !== undefined) return exampleOf(choice, schemas, name, depth);
  const [type = ''] = [here.type].flat();
  switch (type) {
    case 'array':
      return depth > 4 || here.items === undefined
        ? []
        : [exampleOf(here.items, schemas, name.replace(/s$/, ''), depth + 1)];
    case 'object': {
      const fields = (here.required ?? []).map(
        (field) => [field, exampleOf(here.properties?.[field] ?? {}, schemas, field, depth + 1)] as const,
      );
      return Object.fromEntries(depth > 4 ? [] : fields);
    }
    case 'integer':
    case 'number':
      return TIMES[name] ?? Math.max(here.minimum ?? 1, 1);
    case 'boolean':
      return true;
    default:
      return name === '' ? 'text' : name.toUpperCase();
  }
}

/** A command that asks it, for a shell with a token in `EVENKEEL_TOKEN`. */
export function curlOf(operation: Operation, schemas: Schemas, origin: string): string {
  const { method, parameters, body, open, replies } = operation;
  const value = (name: string, schema: Schema): string => encodeURIComponent(String(exampleOf(schema, schemas, name)));
  const schemaOf = (name: string): Schema => parameters.find((each) => each.name === name)?.schema ?? {};
  const path = operation.path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => IN_PATH[name] ?? value(name, schemaOf(name)),
  );
  const query = parameters
    .filter((each) => each.in === 'query' && each.required)
    .map(({ name, schema }) => `${name}=${value(name, schema)}`)
    .join('&');
  const url = `${origin}${path}${query === '' ? '' : `?${query}`}`;
  const changes = parameters.some(({ name }) => name === 'idempotency-key');
  const stream = replies === 'text/event-stream' ? ' --no-buffer' : '';
  return [
    `curl${stream}${method === 'GET' ? '' : ` --request ${method}`} '${url}'`,
    ...(open ? [] : [`--header "Authorization: Bearer $EVENKEEL_TOKEN"`]),
    ...(changes ? [`--header "Idempotency-Key: $(uuidgen)"`] : []),
    ...(body === null
      ? []
      : [
          "--header 'Content-Type: application/json'",
          `--data '${JSON.stringify(exampleOf(body, schemas), null, 2).replaceAll("'", String.raw`'\''`)}'`,
        ]),
  ].join(' \\\n  ');
}
