import { isObject, listAt, made, objectsAt, textAt, textsAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { State, Table } from '../state/state.ts';
import { etagOf } from './etag.ts';
import { GoogleError, invalid } from './google-error.ts';

/** IAM policies of all kinds of resources, by a key such as `projects/p` or `storage/bucket`. */
export class Policies {
  private readonly table: Table;
  private readonly accounts: Table;
  private readonly state: State;

  constructor(state: State) {
    this.state = state;
    this.table = state.table('policies');
    this.accounts = state.table('iam.serviceAccounts');
  }

  get(key: string, first: JsonObject[] = []): JsonObject {
    const kept = this.table.get(key);
    if (kept !== undefined) return kept;
    return made({ version: 1, etag: etagOf([key, first]), bindings: first });
  }

  /**
   * Replaces a policy. One that was read before somebody else changed it is refused: with 409 ABORTED, or as the older
   * APIs do it, 412.
   */
  set(key: string, policy: JsonObject, { first = [], stale = 'ABORTED' }: SetOptions = {}): JsonObject {
    const before = this.get(key, first);
    const etag = textAt(policy, 'etag');
    if (etag !== undefined && etag !== '' && etag !== before['etag'])
      throw new GoogleError(
        stale,
        'There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.',
      );
    const bindings = objectsAt(policy, 'bindings').map((binding) => this.checked(binding));
    const after = made({
      ...before,
      version: policy['version'] ?? 1,
      bindings: joined(bindings),
      auditConfigs: policy['auditConfigs'],
      etag: etagOf([key, this.state.next()]),
    });
    return this.table.set(key, after);
  }

  /** Whether a member has one of these roles there. */
  has(key: string, member: string, roles: readonly string[]): boolean {
    return objectsAt(this.get(key), 'bindings').some(
      (binding) => roles.includes(textAt(binding, 'role') ?? '') && textsAt(binding, 'members').includes(member),
    );
  }

  delete(key: string): void {
    this.table.delete(key);
  }

  /** Policies keep a deleted account's roles under a name that no new account of the same name gets. */
  forgetAccount(email: string, uniqueId: string): void {
    for (const key of this.table.keys()) {
      const policy = this.table.get(key) ?? {};
      const bindings = objectsAt(policy, 'bindings').map((binding) => ({
        ...binding,
        members: listAt(binding, 'members').map((member) =>
          member === `serviceAccount:${email}` ? `deleted:serviceAccount:${email}?uid=${uniqueId}` : member,
        ),
      }));
      this.table.set(key, { ...policy, bindings });
    }
  }

  private checked(binding: JsonObject): JsonObject {
    const role = textAt(binding, 'role') ?? '';
    if (!/^(roles\/[a-zA-Z0-9.]+|(projects|organizations)\/[^/]+\/roles\/[\w.]+)$/.test(role))
      throw invalid(`Role ${role} is not supported for this resource.`);
    for (const member of textsAt(binding, 'members')) {
      if (
        !/^(allUsers|allAuthenticatedUsers|(deleted:)?(user|group|serviceAccount|domain|principal|principalSet|project\w+):.+)$/.test(
          member,
        )
      )
        throw invalid(`Invalid IAM member: ${member}`);
      const email = /^serviceAccount:([^@]+@[^.]+\.iam\.gserviceaccount\.com)$/.exec(member)?.[1];
      // Google's own agents live in projects of Google's.
      const agent = email !== undefined && /@gcp-sa-|^service-\d+@/.test(email);
      if (email !== undefined && !agent && !this.accounts.has(email))
        throw invalid(`Service account ${email} does not exist.`);
    }
    return binding;
  }
}

interface SetOptions {
  /** The policy that a resource has from the start. */
  first?: JsonObject[];
  stale?: 'ABORTED' | 'CONDITION_NOT_MET';
}

/** One binding for each role and condition, without empty ones, members once each. */
function joined(bindings: JsonObject[]): JsonObject[] {
  const found = new Map<string, JsonObject>();
  for (const binding of bindings) {
    const key = JSON.stringify([binding['role'], isObject(binding['condition']) ? binding['condition'] : null]);
    const members = [...new Set([...textsAt(found.get(key), 'members'), ...textsAt(binding, 'members')])];
    if (members.length > 0) found.set(key, { ...binding, members });
  }
  return [...found.values()];
}
