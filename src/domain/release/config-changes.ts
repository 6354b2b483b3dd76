import type { ServiceConfig } from '../project/project.ts';
import { withoutVersions } from './secret-versions.ts';

/** Which keys of a configuration are different, by their names alone: values may be nobody's business. */
export interface ConfigChanges {
  /** Given now, and not before. */
  added: string[];
  removed: string[];
  changed: string[];
}

/**
 * Compares two configurations of a service, key by key, such as `env.MODEL_URL` or `resources.memory`; lists are one value.
 * A secret that has another value today is no change here, see `changedSecrets`.
 */
export function configChanges(before: ServiceConfig, after: ServiceConfig): ConfigChanges {
  const [old, now] = [before, after].map((config) => leavesOf(withoutVersions(config))) as [Leaves, Leaves];
  const names = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return {
    added: names.filter((name) => !old.has(name)),
    removed: names.filter((name) => !now.has(name)),
    changed: names.filter((name) => old.has(name) && now.has(name) && old.get(name) !== now.get(name)),
  };
}

export const noChanges = ({ added, removed, changed }: ConfigChanges): boolean =>
  added.length + removed.length + changed.length === 0;

type Leaves = Map<string, string>;

function leavesOf(config: ServiceConfig): Leaves {
  const leaves: Leaves = new Map();
  const visit = (value: unknown, name: string): void => {
    // "Not given" is told by null.
    if (value === null || value === undefined) return;
    if (typeof value !== 'object' || Array.isArray(value)) return void leaves.set(name, JSON.stringify(value));
    for (const [key, inner] of Object.entries(value))
      visit(inner, name === '' ? asWritten(key) : `${name}.${name === 'env' ? key : asWritten(key)}`);
  };
  visit(config, '');
  return leaves;
}

/** The file has no units in its keys. */
const asWritten = (key: string): string => key.replace(/Ms$/, '');
