import { DEFAULT_RUNTIME } from '../../defaults.ts';
import { problemAt } from '../../problem.ts';
import type { Problem } from '../../problem.ts';
import { cloud as cloudSchema } from '../../schema/cloud.ts';
import type { WrittenCloud } from '../../schema/cloud.ts';
import { child, descend, keyPlace, overlay, toPlain } from '../../tree.ts';
import type { MapTree, Tree } from '../../tree.ts';
import { parseTolerantly } from '../tolerant-parse.ts';

/** Where an environment is: in which cloud, if any, and what runs its services. */
export interface CloudPlace {
  written: WrittenCloud;
  tree: Tree;
  project: string;
  region: string;
  /** Names are made from these. */
  scope: { project: string; environment: string };
  runsServices: boolean;
  /** What is written for every environment of the file in the same cloud project, this one too. */
  sharing: WrittenCloud[];
}

export type RuntimeName = 'process' | 'docker' | 'cloud-run';

export function runtimeOf(tree: Tree, environment: string): RuntimeName {
  const written = descend(tree, ['environments', environment, 'runtime']);
  const value = written?.kind === 'scalar' ? written.value : null;
  return value === 'cloud-run' || value === 'docker' ? value : DEFAULT_RUNTIME;
}

/** What holds of the cloud in an environment, as it is written; undefined: nothing of it is there. */
export const cloudTree = (tree: Tree, environment: string): Tree | undefined =>
  overlay(child(tree, 'cloud'), descend(tree, ['environments', environment, 'cloud']));

/** Whether the file says of any environment that something is in the cloud. */
export function mentionsCloud(tree: Tree): boolean {
  return ['', ...namesIn(tree)].some((name) => isMap(cloudTree(tree, name)) || runtimeOf(tree, name) === 'cloud-run');
}

function namesIn(tree: Tree): string[] {
  const environments = child(tree, 'environments');
  return environments?.kind === 'map' ? [...environments.entries.keys()] : [];
}

/** Keys of a map of the file with those of the environment laid over. */
export const laidOver = (tree: Tree, key: 'databases' | 'buckets', environment: string): Tree | undefined =>
  overlay(child(tree, key), descend(tree, ['environments', environment, key]));

/** Null when nothing of the environment is in the cloud. All that is missing is named. */
export function cloudPlace(tree: Tree, environment: string, problems: Problem[]): CloudPlace | null {
  const merged = cloudTree(tree, environment);
  const runsServices = runtimeOf(tree, environment) === 'cloud-run';
  if (merged === undefined || (merged.kind === 'scalar' && merged.value === null)) {
    if (runsServices) {
      const path = ['environments', environment, 'runtime'];
      problems.push(
        problemAt(keyPlace(tree, path), path, {
          code: 'missing-key',
          message: `\`${environment}\` runs on Cloud Run, and nothing says in which cloud project`,
          expected: '`cloud: { project: ID, region: REGION }`',
          hint: 'add `cloud` at the top of the file, or to the environment',
        }),
      );
    }
    return null;
  }
  for (const [key, example] of [
    ['project', 'my-project-1234'],
    ['region', 'europe-west1'],
  ] as const) {
    if (merged.kind !== 'map' || child(merged, key) !== undefined) continue;
    problems.push(
      problemAt(merged.place, [...merged.path, key], {
        code: 'missing-key',
        message: `\`cloud.${key}\` is missing`,
        expected: `\`${key}: ${example}\``,
        hint: environment === 'production' ? null : `or \`environments.${environment}.cloud: null\`, when it has none`,
      }),
    );
  }
  const written = parseTolerantly(cloudSchema, toPlain(merged)) ?? {};
  const name = child(tree, 'project');
  return {
    written,
    tree: merged,
    project: written.project ?? '',
    region: written.region ?? '',
    scope: { project: name?.kind === 'scalar' ? String(name.value) : '', environment },
    runsServices,
    sharing: [written, ...othersIn(tree, environment).filter(({ project }) => project === written.project)],
  };
}

/** `development` needs not be written to be there. */
function othersIn(tree: Tree, environment: string): WrittenCloud[] {
  const names = new Set(['development', ...namesIn(tree)]);
  return [...names].flatMap((name) => {
    const merged = name === environment ? undefined : cloudTree(tree, name);
    const written = isMap(merged) ? parseTolerantly(cloudSchema, toPlain(merged)) : null;
    return written === null || written === undefined ? [] : [written];
  });
}

const isMap = (tree: Tree | undefined): tree is MapTree => tree?.kind === 'map';
