import { invalid } from '../core/google-error.ts';
import { checkParameter, ignoresUnknown } from '../schema/check.ts';
import type { Violation } from '../schema/check.ts';
import type { Document, Method } from '../schema/document.ts';

/** Parameters of all methods that documents do not list, and the one by which an upload goes on. */
const STANDARD =
  /^(\$.*|upload_id|upload_protocol|uploadType|userIp|quotaUser|prettyPrint|alt|fields|key|access_token|oauth_token|callback)$/;

/** Unknown parameters, missing ones and values of a wrong type: all at once, as 400. */
export function checkQuery(document: Document, method: Method, query: URLSearchParams): void {
  const violations: Violation[] = [];
  for (const name of new Set(query.keys())) {
    const schema = method.parameters?.[name];
    if (schema?.location !== 'query') {
      if (!STANDARD.test(name) && document.parameters[name] === undefined && !ignoresUnknown(document))
        violations.push({
          field: name,
          description: `Invalid JSON payload received. Unknown name "${name}": Cannot bind query parameter. Field '${name}' could not be found in request message.`,
        });
      continue;
    }
    const values = query.getAll(name);
    if (values.length > 1 && schema.repeated !== true)
      violations.push({ field: name, description: `Parameter ${name} is given ${String(values.length)} times.` });
    for (const value of values) violations.push(...checkParameter(document, schema, name, value));
  }
  for (const [name, schema] of Object.entries(method.parameters ?? {})) {
    if (schema.location === 'query' && schema.required === true && !query.has(name))
      violations.push({ field: name, description: `Required parameter: ${name}` });
  }
  if (violations.length > 0) throw invalid(violations.map(({ description }) => description).join('\n'), violations);
}
