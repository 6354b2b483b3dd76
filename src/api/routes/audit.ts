import type { Identity } from '../../domain/access/identity.ts';
import { may, organizationsOf, SERVER } from '../../domain/access/may.ts';
import type { AuditAct, AuditEntry } from '../../domain/audit/entry.ts';
import { forbidden } from '../../engine/access/refusals.ts';
import { csvLine } from '../../lib/csv.ts';
import type { AuditFilter } from '../../ports/audit-store.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Call, Handlers } from '../call.ts';
import type { ActView } from '../contract/audit.ts';
import { pageOf } from './page.ts';

/** Entries that are read at once for a file. */
const PAGE = 500;

export function auditHandlers(deps: ApiDeps): Pick<Handlers, 'listAudit' | 'verifyAudit' | 'exportAudit'> {
  const { store } = deps.engine.deps;
  return {
    async listAudit({ limit, before, result, ...query }, call) {
      const found = await store.auditActs({
        ...filterOf(query),
        ...visibleTo(call.who),
        limit: limit + 1,
        ...(result === undefined ? {} : { result }),
        ...(before === undefined ? {} : { before: cursorOf(before) }),
      });
      const { page, next } = pageOf(found, limit, ({ asked }) => String(asked.seq));
      return { acts: page.map(actView), next };
    },

    verifyAudit: () => deps.audit.verify(),

    async exportAudit({ format, ...query }, call) {
      const csv = format === 'csv';
      const entries = entriesOf(deps, { ...filterOf(query), ...visibleTo(call.who) }, call);
      return {
        type: csv ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson',
        name: `evenkeel-audit.${format}`,
        lines: csv ? csvOf(entries) : jsonOf(entries),
      };
    },
  };
}

/**
 * The acts of organizations whose audit somebody may read, and, for whoever may look at the server, those of none. What an
 * organization does is nothing for whoever merely runs the server. Throws `forbidden` for whoever may see nothing.
 */
function visibleTo(who: Identity): Pick<AuditFilter, 'within'> {
  if (who.kind === 'local') return {};
  const organizations = (organizationsOf(who) ?? []).filter(
    (organization) => may(who, 'audit:read', { on: 'organization', organization }).allowed,
  );
  const server = may(who, 'server:read', SERVER);
  if (organizations.length > 0 || server.allowed) return { within: { organizations, rest: server.allowed } };
  throw forbidden(`${who.name} may not read the audit`, 'no role of yours has audit:read for an organization');
}

async function* entriesOf({ engine }: ApiDeps, filter: AuditFilter, call: Call): AsyncGenerator<AuditEntry> {
  for (let after = 0; !call.signal.aborted;) {
    const page = await engine.deps.store.auditEntries({ ...filter, after, limit: PAGE });
    yield* page;
    after = page.at(-1)?.seq ?? after;
    if (page.length < PAGE) return;
  }
}

async function* jsonOf(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  for await (const entry of entries) yield `${JSON.stringify(entry)}\n`;
}

const COLUMNS = [
  'seq',
  'at',
  'kind',
  'who',
  'identity',
  'source',
  'operation',
  'organization',
  'project',
  'environment',
  'service',
  'rollout',
  'result',
  'code',
  'detail',
  'id',
  'about',
  'former',
  'hash',
] as const satisfies readonly (keyof AuditEntry)[];

async function* csvOf(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  yield `${csvLine(COLUMNS)}\r\n`;
  for await (const entry of entries)
    yield `${csvLine(COLUMNS.map((column) => (column === 'at' ? new Date(entry.at).toISOString() : entry[column])))}\r\n`;
}

function actView({ asked, answered }: AuditAct): ActView {
  const { seq, at, who, identity, source, operation, organization, project, environment, service } = asked;
  const last = answered ?? asked;
  return {
    seq,
    at,
    who,
    identity,
    source,
    operation,
    organization,
    project,
    environment,
    service,
    rollout: last.rollout,
    result: last.result ?? 'unknown',
    code: last.code,
    answeredAt: answered?.at ?? null,
    ...detailOf(asked),
    ...(answered === null ? {} : detailOf(answered)),
  };
}

/** What somebody has written there by hand may be anything. */
function detailOf({ detail }: AuditEntry): Pick<ActView, 'input' | 'before' | 'after'> {
  try {
    const { input, before, after } = JSON.parse(detail) as Pick<ActView, 'input' | 'before' | 'after'>;
    return Object.fromEntries(Object.entries({ input, before, after }).filter(([, value]) => value !== undefined));
  } catch {
    return {};
  }
}

const filterOf = (query: { [Key in keyof AuditFilter]: AuditFilter[Key] | undefined }): AuditFilter =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));

function cursorOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new EvenkeelError({ code: 'bad-request', what: 'the request cannot be read', why: 'before: what `next` said' });
}
