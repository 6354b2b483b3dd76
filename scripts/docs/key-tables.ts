import { jsonSchema } from '../../src/config/schema/json-schema.ts';
import { NAME_PATTERN } from '../../src/config/schema/scalars.ts';
import { DURATION_PATTERN } from '../../src/config/values/duration.ts';
import { SIZE_PATTERN } from '../../src/config/values/size.ts';

/** As much of JSON Schema as the schema of `evenkeel.yaml` uses. */
interface Node {
  type?: string | string[];
  description?: string;
  pattern?: string;
  enum?: string[];
  const?: string | number | boolean;
  minimum?: number;
  maximum?: number;
  anyOf?: Node[];
  items?: Node;
  properties?: Record<string, Node>;
  additionalProperties?: Node | false;
}

/** Who gets in, in a table of its own. */
const ENTRY = ['access', 'limits', 'maintenance', 'errorPages', 'trustedProxies', 'accessLog'];

const only = (properties: Record<string, Node>, names: readonly string[]): Node => ({
  properties: Object.fromEntries(
    names.flatMap((name) => (properties[name] === undefined ? [] : [[name, properties[name]]])),
  ),
});

/** Tables of the keys of `evenkeel.yaml`, by the name of the map that holds them. */
export function keyTables(): Map<string, string> {
  const top = jsonSchema() as Node;
  const service = entry(top, 'services');
  const environment = entry(top, 'environments');
  return new Map([
    ['top', table(top, ['services', 'databases', 'environments', 'buckets', 'external', 'cloud', 'alerts', 'backups'])],
    ['service', table(service, ['rollout', 'objectives', 'instances', ...ENTRY])],
    ['rollout', table(property(service, 'rollout'))],
    ['database', table(entry(top, 'databases'))],
    ['cloud', table(property(top, 'cloud'))],
    ['bucket', table(entry(top, 'buckets'))],
    [
      'environment',
      table(environment, ['rollout', 'objectives', 'services', 'cloud', 'databases', 'buckets', ...ENTRY]),
    ],
    ['objectives', table(property(service, 'objectives'))],
    ['entry', table(only({ ...environment.properties, ...service.properties }, ENTRY))],
  ]);
}

/** `closed` keys are listed without what is inside of them. */
function table(map: Node, closed: readonly string[] = []): string {
  const rows = rowsOf(map, '', new Set(closed)).map((cells) => `| ${cells.map(cell).join(' | ')} |`);
  return ['| key | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function rowsOf(map: Node, prefix: string, closed: ReadonlySet<string>): string[][] {
  return Object.entries(map.properties ?? {}).flatMap(([name, node]) => {
    const { meaning, standard } = readDescription(node.description ?? '');
    const row = [`\`${prefix}${name}\``, typeOf(node), standard, meaning];
    if (closed.has(name)) return [row];
    const inner = innerMaps(node).flatMap(({ node: found, list }) =>
      rowsOf(found, `${prefix}${name}${list ? '[]' : ''}.`, closed),
    );
    return [row, ...inner];
  });
}

/** Maps with keys of their own inside a value, however it may be written. The same one, alone or in a list, counts once. */
function innerMaps(node: Node): { node: Node; list: boolean }[] {
  if (node.properties !== undefined) return [{ node, list: false }];
  if (node.items !== undefined) return innerMaps(node.items).map((inner) => ({ ...inner, list: true }));
  const found = (node.anyOf ?? []).flatMap(innerMaps);
  const keys = (inner: Node): string => Object.keys(inner.properties ?? {}).join();
  return found.filter((each, index) => found.findIndex((other) => keys(other.node) === keys(each.node)) === index);
}

/** Splits what is said about defaults off the description. */
function readDescription(text: string): { meaning: string; standard: string } {
  const sentences = text.split(/(?<=\.) (?=[A-Z`])/);
  const isDefault = (sentence: string): boolean => /^Default\b/.test(sentence);
  const bare = (sentence: string): string => sentence.replace(/^Default:? (in )?/, '$1').replace(/\.$/, '');
  const meaning = sentences
    .filter((sentence) => !isDefault(sentence))
    .join(' ')
    .replace('Not available yet.', '*Not available yet.*');
  return { meaning, standard: sentences.filter(isDefault).map(bare).join('; ') };
}

function typeOf(node: Node): string {
  if (node.anyOf !== undefined) return alternatives(node.anyOf.filter((each) => !isVariable(each)));
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(', ');
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.items !== undefined) return `list of ${typeOf(node.items)}`;
  if (node.properties !== undefined) return 'keys';
  if (node.additionalProperties) return `${typeOf(node.additionalProperties)} by name`;
  const types = [node.type ?? []].flat();
  if (types.includes('number') && types.includes('boolean')) return 'text';
  if (types.includes('boolean')) return '`true`, `false`';
  if (types.includes('integer')) return `${node.minimum}–${node.maximum}`;
  if (types.includes('number'))
    return `${node.minimum}–${node.maximum}${node.pattern?.includes('%') === true ? ' %' : ''}`;
  return textType(node.pattern ?? '');
}

function textType(pattern: string): string {
  const says = (known: string): boolean => pattern.startsWith(known);
  if (says(DURATION_PATTERN)) return 'duration';
  if (says(SIZE_PATTERN)) return 'size';
  if (says(NAME_PATTERN)) return 'name';
  if (says('^/')) return 'path';
  if (says('^ *<?')) return pattern.includes('%') ? 'limit in %' : 'limit in time';
  if (says('^(?:(?:25[0-5]') || says('^(([0-9a-fA-F]')) return 'address';
  return 'text';
}

/** `${VAR}` may stand for any value, which the schema says everywhere and a reader needs once. */
const isVariable = ({ type, pattern }: Node): boolean => type === 'string' && pattern === '\\$\\{';

/** Different ways to write a value, each once. */
function alternatives(nodes: readonly Node[]): string {
  const kinds = [...new Set(nodes.filter(({ type }) => type !== 'null').map(typeOf))];
  const [one, many] = kinds;
  return kinds.length === 2 && many === `list of ${one}` ? `${one}, or a list` : kinds.join(' or ');
}

function property(map: Node, name: string): Node {
  const found = map.properties?.[name];
  if (found === undefined) throw new Error(`the schema has no \`${name}\` where it is expected`);
  return found;
}

/** What each of the named things under a key is. */
function entry(map: Node, name: string): Node {
  const each = property(map, name).additionalProperties;
  const found = each ? innerMaps(each)[0] : undefined;
  if (found === undefined) throw new Error(`\`${name}\` is not a map of things with keys`);
  return found.node;
}

/** Dollar signs would begin a formula on some sites. */
function cell(text: string): string {
  const plain = text
    .split('`')
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(/\$(\{.+?\}|\w+)/g, '`$&`')));
  return plain.join('`').replaceAll('|', '\\|');
}
