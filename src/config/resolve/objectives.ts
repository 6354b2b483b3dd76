import {
  CRITICAL_TIMES,
  DEFAULT_ERROR_RATE,
  DEFAULT_MEMORY,
  type Levels,
  type WrittenObjectives,
} from '../../domain/project/objectives.ts';
import { problemAt } from '../problem.ts';
import type { Problem } from '../problem.ts';
import type { WrittenService } from '../schema/service.ts';
import { descend, keyPlace } from '../tree.ts';
import type { Tree } from '../tree.ts';

type Written = NonNullable<WrittenService['objectives']>;
type WrittenLevels = { warning?: number | undefined; critical?: number | undefined } | null | undefined;

/** Of the services about which something is said; undefined: of none. */
export function resolveObjectives(
  services: readonly { name: string; written: WrittenService }[],
): WrittenObjectives[] | undefined {
  const found = services.flatMap(({ name, written: { objectives = {}, role } }): WrittenObjectives[] => {
    const said = {
      ...(role === undefined ? {} : { role }),
      ...given('errorRate', share(errorRateOf(objectives))),
      ...given('p95Ms', p95Of(objectives)),
      ...given('memory', share(memoryOf(objectives))),
      ...given('availability', fraction(objectives.availability)),
    };
    return Object.keys(said).length === 0 ? [] : [{ service: name, ...said }];
  });
  return found.length === 0 ? undefined : found;
}

const given = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> =>
  value === undefined ? {} : ({ [key]: value } as Record<K, V>);

/** Percent, as they are written. */
const errorRateOf = ({ errorRate }: Written): Levels | null | undefined =>
  levelsOf(errorRate, DEFAULT_ERROR_RATE.warning * 100, (warning) => Math.min(100, warning * CRITICAL_TIMES.errorRate));

const memoryOf = ({ memory }: Written): Levels | null | undefined =>
  levelsOf(memory, DEFAULT_MEMORY.warning * 100, () => DEFAULT_MEMORY.critical * 100);

function p95Of({ p95 }: Written): Levels | null | undefined {
  // Half of the critical one, when only that is given: the same rule the other way round.
  const warning = (p95?.critical ?? 2) / CRITICAL_TIMES.p95Ms;
  return levelsOf(p95, warning, (from) => from * CRITICAL_TIMES.p95Ms);
}

function levelsOf(
  written: WrittenLevels,
  usual: number,
  criticalOf: (warning: number) => number,
): Levels | null | undefined {
  if (written === undefined || written === null) return written;
  const warning = written.warning ?? usual;
  return { warning, critical: written.critical ?? criticalOf(warning) };
}

const share = (levels: Levels | null | undefined): Levels | null | undefined =>
  levels === undefined || levels === null ? levels : { warning: levels.warning / 100, critical: levels.critical / 100 };

const fraction = (percent: number | null | undefined): number | null | undefined =>
  percent === undefined || percent === null ? percent : hundredth(percent);

/** 99.9 / 100 alone is 0.9990000000000001, and would be shown. */
const hundredth = (percent: number): number => Number((percent / 100).toPrecision(12));

const OF_REQUESTS = ['errorRate', 'p95', 'availability'];

/** What is right by itself and wrong together. What an environment says of all services is not said of this one. */
export function objectivesContradictions(subject: {
  name: string;
  written: WrittenService;
  tree: Tree;
  /** Another service uses its url. */
  isAsked: boolean;
}): Problem[] {
  const { name, written, tree, isAsked } = subject;
  const { objectives } = written;
  if (objectives === undefined) return [];
  const problems: Problem[] = [];
  const report = (key: string, message: string, hint: string): void => {
    const path = ['objectives', key];
    const at = descend(tree, path)?.path ?? path;
    problems.push(problemAt(keyPlace(tree, path), [...at], { code: 'contradiction', message, hint }));
  };
  const own = (key: string): boolean => {
    const path = descend(tree, ['objectives', key])?.path;
    return path !== undefined && (path[0] !== 'environments' || path[2] === 'services');
  };
  const both = { errorRate: errorRateOf(objectives), p95: p95Of(objectives), memory: memoryOf(objectives) };
  for (const [key, levels] of Object.entries(both)) {
    if (levels === undefined || levels === null || levels.critical > levels.warning) continue;
    const full = key !== 'p95' && levels.warning >= 100;
    const message = `\`${key}\` would be critical no later than it is a warning`;
    report(key, message, full ? 'make `warning` smaller' : 'make `critical` greater than `warning`');
  }
  const speaks = isAsked || ['routes', 'health', 'static', 'port'].some((key) => descend(tree, [key]) !== undefined);
  for (const key of OF_REQUESTS) {
    if (speaks || !own(key) || objectives[key as keyof Written] === null) continue;
    report(key, `\`${key}\` is about requests, and nobody asks \`${name}\``, `take out \`${key}\`, or add \`routes\``);
  }
  if (own('memory') && objectives.memory !== null && descend(tree, ['resources', 'memory']) === undefined) {
    const message = '`memory` is a share of `resources.memory`, which is not set';
    report('memory', message, 'add `resources: { memory: 512Mi }`, or take out `memory`');
  }
  return problems;
}
