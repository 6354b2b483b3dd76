import { describe, expect, test } from 'vitest';
import { projectSchema } from '../../../src/store/rows/project.ts';
import { problemsIn, projectOf } from './read.ts';

const one = (keys: string, rest = ''): string =>
  `project: p\nservices:\n  api: { run: a, routes: [/], health: /h, ${keys} }\n${rest}`;
const objectivesIn = async (yaml: string, environment?: string) =>
  (await projectOf(yaml, environment)).environment.objectives;

describe('objectives', () => {
  test('are nowhere as long as nothing is said, so that no release changes with them', async () => {
    const project = await projectOf(one(''));
    expect(project.environment).not.toHaveProperty('objectives');
    const said = await projectOf(one('objectives: { p95: 300ms }'));
    expect(said.services).toEqual(project.services);
  });

  test.each([
    ['errorRate: 2%', { errorRate: { warning: 0.02, critical: 0.1 } }],
    ['errorRate: 40%', { errorRate: { warning: 0.4, critical: 1 } }],
    ['errorRate: { critical: 10% }', { errorRate: { warning: 0.01, critical: 0.1 } }],
    ['p95: 300ms', { p95Ms: { warning: 300, critical: 600 } }],
    ['p95: { warning: 1s, critical: 5s }', { p95Ms: { warning: 1000, critical: 5000 } }],
    ['p95: { critical: 5s }', { p95Ms: { warning: 2500, critical: 5000 } }],
    ['p95: false', { p95Ms: null }],
    ['availability: 99.9%', { availability: 0.999 }],
    ['availability: false', { availability: null }],
  ])('%s is understood', async (written, expected) => {
    const [found] = (await objectivesIn(one(`objectives: { ${written} }`))) ?? [];
    expect(found).toEqual({ service: 'api', ...expected });
  });

  test('of an environment hold for all its services, and those of a service there come last', async () => {
    const yaml = one(
      'resources: { memory: 64Mi }, objectives: { memory: 70% }, role: landing',
      'environments: { staging: { objectives: { p95: false, memory: 50% }, services: { api: { objectives: { p95: 2s } } } } }\n',
    );
    expect(await objectivesIn(yaml, 'staging')).toEqual([
      {
        service: 'api',
        role: 'landing',
        memory: { warning: 0.5, critical: 0.95 },
        p95Ms: { warning: 2000, critical: 4000 },
      },
    ]);
    const project = await projectOf(yaml, 'staging');
    expect(projectSchema.parse(JSON.parse(JSON.stringify(project)))).toEqual(project);
  });

  test.each([
    ['objectives: { errorRate: { warning: 5%, critical: 5% } }', 'errorRate', 'no later than it is a warning'],
    ['objectives: { p95: { warning: 3s, critical: 2s } }', 'p95', 'greater than `warning`'],
    ['objectives: { errorRate: 100% }', 'errorRate', 'make `warning` smaller'],
    ['objectives: { memory: 80% }', 'memory', '`resources.memory`, which is not set'],
    ['resources: { memory: 1Gi }, objectives: { memory: 96% }', 'memory', 'no later than it is a warning'],
  ])('%s is refused', async (written, key, words) => {
    const problems = await problemsIn(one(written));
    expect(problems).toEqual([expect.objectContaining({ code: 'contradiction', line: 3 })]);
    expect(problems[0]?.path).toBe(`services.api.objectives.${key}`);
    expect(`${problems[0]?.message}; ${problems[0]?.hint}`).toContain(words);
  });

  test('about requests are refused for what nobody asks, unless they are said of all', async () => {
    const worker = (keys: string, rest = '') => `project: p\nservices:\n  mail: { run: a, ${keys} }\n${rest}`;
    expect(await problemsIn(worker('objectives: { p95: 1s }'))).toEqual([
      expect.objectContaining({ code: 'contradiction', message: '`p95` is about requests, and nobody asks `mail`' }),
    ]);
    const all = 'environments: { development: { objectives: { p95: 1s, memory: 70% } } }\n';
    expect(await problemsIn(worker('', all))).toEqual([]);
  });

  test('that make no sense are told what is expected', async () => {
    const problems = await problemsIn(one('objectives: { p95: soon, availability: 200%, latency: 1s }, role: king'));
    expect(problems.map(({ code, path }) => `${code} ${path.replace('services.api.', '')}`).toSorted()).toEqual([
      'bad-value objectives.availability',
      'bad-value objectives.p95',
      'bad-value role',
      'unknown-key objectives.latency',
    ]);
  });
});
