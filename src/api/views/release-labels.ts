import type { Engine } from '../../engine/engine.ts';

/** Of a thousand rollouts of ten services each. */
const MOST = 10_000;

const known = new WeakMap<Engine, Map<string, string | null>>();

/**
 * The label of a release; null: it has none, or there is no such release. A release never changes, so each is read once: a
 * list of rollouts would otherwise read every release of every one of them, whenever anything happens.
 */
export async function releaseLabel(engine: Engine, project: string, release: string): Promise<string | null> {
  let labels = known.get(engine);
  if (labels === undefined) known.set(engine, (labels = new Map()));
  const key = `${project}/${release}`;
  const before = labels.get(key);
  if (before !== undefined) return before;
  const found = await engine.reads.release(project, release);
  if (found === null) return null;
  labels.set(key, found.source.label);
  const [oldest] = labels.keys();
  if (labels.size > MOST && oldest !== undefined) labels.delete(oldest);
  return found.source.label;
}
