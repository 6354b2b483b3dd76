import { randomUUID } from 'node:crypto';
import type { Identity } from '../domain/access/identity.ts';
import type { Scope } from '../domain/access/may.ts';
import type { Notice } from './changes/ring.ts';
import type { AuditContent, AuditResult } from '../domain/audit/entry.ts';
import { isAbsence } from '../engine/emergency/reads.ts';
import { described } from '../ports/errors.ts';
import type { ApiDeps } from './api-deps.ts';
import type { Owners } from './authorize.ts';
import type { ChangingId } from './contract/paths.ts';
import { isHurried } from './hurried.ts';
import { asRefusal } from './problems.ts';
import { TOLD } from './told.ts';

/** An act as it is asked for. */
export interface Asked {
  readonly id: ChangingId;
  readonly who: Identity;
  /** `socket`, or the address that the request came from. */
  readonly source: string;
  /** What its path names, unchecked; that much is known of one that cannot be read. */
  readonly named: Readonly<Record<string, unknown>>;
}

type Input = Record<string, unknown>;

export interface Audit {
  /** Carries an act out, with an entry before it and its result behind it. Throws what the act throws, or the store. */
  around(asked: Asked, input: Input, act: () => Promise<unknown>): Promise<unknown>;
  /** Writes down what was done without an entry before it: nothing of production hangs on it. */
  told(asked: Asked, input: Input, done: { reply: unknown }): Promise<void>;
  /** Writes down what was refused before it was begun. `input` null: it could not be read. */
  refused(asked: Asked, input: Input | null, error: unknown): Promise<void>;
}

export function createAudit(
  deps: ApiDeps,
  scopeOfRollout: (id: string) => Promise<Scope>,
  owners: Pick<Owners, 'of' | 'look'>,
): Audit {
  const { audit, engine, redact } = deps;
  const { clock, log } = engine.deps;

  return {
    async around(asked, input, act) {
      const told = tellingOf(asked.id);
      const before = await unlessUnknown(() => told.before?.(input, deps));
      const begun = await entry(asked, input, { input: await told.input(input, deps), before });
      await write(asked, [begun]);
      let reply: unknown;
      try {
        reply = await act();
      } catch (error) {
        await conclude(asked, begun, error);
        throw error;
      }
      const refusal = told.refusal?.(reply) ?? null;
      const after = await unlessUnknown(() => told.after?.(reply, input, deps));
      const rollout = (reply as { rollout?: unknown } | null)?.rollout;
      await write(asked, [
        answer(begun, {
          ...(typeof rollout === 'string' ? { rollout } : {}),
          result: refusal === null ? 'done' : refusal.failed ? 'failed' : 'refused',
          code: refusal?.code ?? null,
          detail: JSON.stringify({ after: await redacted(after) }),
        }),
      ]).catch(lost);
      return reply;
    },

    async told(asked, input, { reply }) {
      const told = tellingOf(asked.id);
      const begun = await entry(asked, input, { input: await told.input(input, deps) });
      const after = await redacted(await unlessUnknown(() => told.after?.(reply, input, deps)));
      await write(asked, [begun, answer(begun, { result: 'done', detail: JSON.stringify({ after }) })]).catch(lost);
    },

    async refused(asked, input, error) {
      const told = input === null ? {} : { input: await unlessUnknown(() => tellingOf(asked.id).input(input, deps)) };
      const begun = await entry(asked, input, told);
      await write(asked, [begun, await failure(begun, error)]).catch(lost);
    },
  };

  async function conclude(asked: Asked, begun: AuditContent, error: unknown): Promise<void> {
    await write(asked, [await failure(begun, error)]).catch(lost);
  }

  async function failure(begun: AuditContent, error: unknown): Promise<AuditContent> {
    const { code, message, exit } = asRefusal(error, deps.server.home);
    // What cannot be read is told by its fields, and those may be named by what does not belong there.
    const after = code === 'bad-request' ? {} : { message };
    const result: AuditResult = exit === 1 ? 'refused' : 'failed';
    return answer(begun, { result, code, detail: JSON.stringify({ after: await redacted(after) }) });
  }

  function answer(begun: AuditContent, over: Partial<AuditContent>): AuditContent {
    return { ...begun, id: randomUUID(), at: clock.now(), kind: 'answered', about: begun.id, ...over };
  }

  async function entry({ id, who, source, named }: Asked, input: Input | null, told: object): Promise<AuditContent> {
    const of = await scopeOf(input ?? named);
    const text = async (value: unknown): Promise<string | null> =>
      typeof value === 'string' ? redact(value.slice(0, 200)) : null;
    return {
      id: randomUUID(),
      at: clock.now(),
      kind: 'asked',
      about: null,
      identity: who.kind,
      who: await redact(who.name),
      source,
      operation: id,
      organization: await text(await organizationOf({ id, who, named }, input, of)),
      project: await text(of?.project),
      environment: await text(of?.environment),
      service: await text((input ?? named)['service']),
      rollout: await text((input ?? named)['rollout']),
      result: null,
      code: null,
      detail: JSON.stringify(await redacted(told)),
    };
  }

  async function scopeOf(input: Input): Promise<{ project?: unknown; environment?: unknown } | null> {
    const { rollout } = input;
    return typeof rollout === 'string' ? scopeOfRollout(rollout).catch(() => null) : input;
  }

  /** The project's at this moment, else the one that is named, else the one that the act says it is of. */
  async function organizationOf(
    { id, who, named }: Pick<Asked, 'id' | 'who' | 'named'>,
    input: Input | null,
    of: { project?: unknown } | null,
  ): Promise<unknown> {
    const project = of?.project;
    if (typeof project === 'string') {
      // Of everybody else it was looked at when they were let in.
      if (who.kind === 'local')
        await unlessUnknown(() => (isHurried(id) ? deps.hurry(() => owners.look()) : owners.look()));
      return owners.of(project);
    }
    const { organization } = input ?? named;
    if (typeof organization === 'string' || input === null) return organization;
    return unlessUnknown(() => tellingOf(id).organization?.(input, deps));
  }

  /** Taking back comes before writing down: where neither the store nor the home takes it, the log alone has it. */
  async function write({ id, who }: Asked, contents: AuditContent[]): Promise<void> {
    try {
      await audit.write(contents, { hurry: isHurried(id) });
    } catch (error) {
      if (!isHurried(id) || !isAbsence(error)) throw error;
      for (const { kind, result, project, environment, rollout } of contents)
        log.error({ kind, result, project, environment, rollout }, `not in the audit: ${id} by ${who.name}`);
    }
    const last = contents.at(-1);
    if (last?.kind === 'answered') deps.changes.tell(noticeOf(last));
  }

  function lost(error: unknown): void {
    log.error({}, `the result of an act could not be written into the audit: ${described(error)}`);
  }

  /** The same value, with what is known of secrets taken out of every text. */
  async function redacted(value: unknown): Promise<unknown> {
    if (typeof value === 'string') return redact(value);
    if (Array.isArray(value)) return Promise.all(value.map(redacted));
    if (typeof value !== 'object' || value === null) return value;
    const parts = await Promise.all(
      Object.entries(value).map(async ([name, part]) => [await redact(name), await redacted(part)] as const),
    );
    return Object.fromEntries(parts);
  }
}

/** Input and reply belong together by the type of the table, which is lost where the operation is any of them. */
interface AnyTelling {
  organization?(input: Input, deps: ApiDeps): unknown;
  input(input: Input, deps: ApiDeps): unknown;
  before?(input: Input, deps: ApiDeps): unknown;
  after?(reply: unknown, input: Input, deps: ApiDeps): unknown;
  refusal?(reply: unknown): { code: string; failed: boolean } | null;
}

const tellingOf = (id: ChangingId): AnyTelling => TOLD[id];

/** What is only told beside an act must not keep it from being carried out. */
async function unlessUnknown(look: () => unknown): Promise<unknown> {
  try {
    return await look();
  } catch {
    return undefined;
  }
}

/**
 * That somebody did something, for whoever may see where. What is of an organization alone its members hear, and what is of
 * none, whoever may look at the server.
 */
function noticeOf({ organization, project, environment }: AuditContent): Notice {
  const named = project !== null && environment !== null;
  return {
    event: { type: 'audit', project, environment },
    permission: named ? 'environment:read' : 'server:read',
    scope: named ? { project, environment } : null,
    ...(named || organization === null ? {} : { organization }),
  };
}
