/** A node of the parser's tree: one key, its kind, and its fields. */
export type Ast = Record<string, unknown>;

/** The fields of a node, or of what is no node: none. */
export const fields = (value: unknown): Ast =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Ast) : {};

export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The kind of a node and its fields: `{ DropStmt: {...} }`. */
export function nodeOf(value: unknown): { kind: string; node: Ast } {
  const [kind = '', node] = Object.entries(fields(value))[0] ?? [];
  return { kind, node: fields(node) };
}

/** A name in parts, as lists of strings hold it: `[{ String: { sval: 'public' } }, ...]`. */
export function nameParts(value: unknown): string[] {
  const { kind, node } = nodeOf(value);
  if (kind === 'List') return nameParts(node['items']);
  if (kind === 'TypeName') return nameParts(node['names']);
  if (kind === 'ObjectWithArgs') return nameParts(node['objname']);
  if (kind === 'String') return [text(node['sval'])];
  return list(value).flatMap(nameParts);
}

/** A table as a statement names it. */
export function relationOf(value: unknown): { name: string; shown: string } {
  const relation = fields(value);
  const name = text(relation['relname']);
  const schema = text(relation['schemaname']);
  return { name, shown: schema === '' ? name : `${schema}.${name}` };
}
