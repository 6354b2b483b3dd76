import { setTimeout as sleep } from 'node:timers/promises';
import type { cloudresourcemanager_v3 } from '@googleapis/cloudresourcemanager';
import { called, type GoogleHttp } from '../../../platform/google/http.ts';
import { GoogleRefusal } from '../../../platform/google/refusal.ts';
import { retryDelay } from '../../../platform/google/retry.ts';
import type { Clients } from './clients.ts';

export type Policy = cloudresourcemanager_v3.Schema$Policy;

/** Changes a policy in place; false when nothing had to change. May be called again, with a newer policy. */
export type PolicyEdit = (policy: Policy) => boolean;

/**
 * Changes the project's policy so that nobody's change is lost: read, change, write under the etag of what was read; and
 * again when somebody was quicker. Edits that come at once share one reading and one writing.
 */
export interface PolicyEditor {
  read(signal: AbortSignal): Promise<Policy>;
  edit(change: PolicyEdit, signal: AbortSignal): Promise<void>;
}

interface Waiting {
  change: PolicyEdit;
  signal: AbortSignal;
  resolve(): void;
  reject(error: unknown): void;
}

/** Of one writing: another's change comes between, or an account that is new is not known everywhere yet. */
const MOST_TRIES = 20;

export function policyEditor(project: string, clients: Clients, http: GoogleHttp): PolicyEditor {
  const resource = `projects/${project}`;
  let waiting: Waiting[] = [];
  let working = false;

  async function read(signal: AbortSignal): Promise<Policy> {
    const manager = await clients.cloudresourcemanager();
    // Version 3, or bindings with a condition would lose it when they are written back.
    const requestBody = { options: { requestedPolicyVersion: 3 } };
    return called(manager.projects.getIamPolicy({ resource, requestBody }, { signal }));
  }

  async function write(changes: readonly PolicyEdit[], signal: AbortSignal): Promise<void> {
    const manager = await clients.cloudresourcemanager();
    for (let tries = 1; ; tries += 1) {
      const policy = await read(signal);
      if (!changes.map((change) => change(policy)).some(Boolean)) return;
      const requestBody = { policy: { ...policy, version: 3 }, updateMask: 'bindings,etag,version,auditConfigs' };
      try {
        await called(manager.projects.setIamPolicy({ resource, requestBody }, { signal }));
        return;
      } catch (error) {
        if (!(error instanceof GoogleRefusal) || tries >= MOST_TRIES || !isPassing(error)) throw error;
        const delay = retryDelay(
          { status: 503, reason: null, retryAfter: null, tries: Math.min(tries, 5), once: false },
          { now: 0, random: Math.random(), first: http.pace },
        );
        await sleep(delay ?? 0, undefined, { signal });
      }
    }
  }

  /** The end of it is the end of `working` in the same breath: whoever asks a moment later would be heard by nobody. */
  async function work(): Promise<void> {
    try {
      while (waiting.length > 0) await workOnce();
    } finally {
      working = false;
    }
  }

  async function workOnce(): Promise<void> {
    const batch = waiting;
    waiting = [];
    // Who was stopped meanwhile no longer takes part; who is stopped during the writing sees it done.
    const taking = batch.filter(({ signal, reject }) => !signal.aborted || reject(signal.reason));
    const all = AbortSignal.timeout(120_000);
    try {
      if (taking.length > 0)
        await write(
          taking.map(({ change }) => change),
          all,
        );
      for (const { resolve } of taking) resolve();
    } catch (error) {
      if (taking.length < 2) for (const { reject } of taking) reject(error);
      // One that Google refuses must not take the others with it.
      else for (const one of taking) await write([one.change], all).then(one.resolve, one.reject);
    }
  }

  return {
    read,
    edit: (change, signal) =>
      new Promise((resolve, reject) => {
        waiting.push({ change, signal, resolve, reject });
        if (working) return;
        working = true;
        // Those that are asked for in the same breath go together.
        setImmediate(() => void work());
      }),
  };
}

/** Another writer was quicker, or the account was made moments ago. */
const isPassing = ({ status, why }: GoogleRefusal): boolean =>
  status === 409 || status === 412 || (status === 400 && /does not exist/.test(why ?? ''));

/** Adds a member to the binding of a role that has no condition, or takes it away. */
export function setMember(policy: Policy, role: string, member: string, wanted: boolean): boolean {
  const bindings = (policy.bindings ??= []);
  const binding = bindings.find((one) => one.role === role && (one.condition === undefined || one.condition === null));
  const members = binding?.members ?? [];
  if (members.includes(member) === wanted) return false;
  if (binding === undefined) bindings.push({ role, members: [member] });
  else binding.members = wanted ? [...members, member] : members.filter((one) => one !== member);
  policy.bindings = bindings.filter((one) => (one.members ?? []).length > 0);
  return true;
}
