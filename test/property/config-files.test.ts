import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';

import { emptyFindings } from '../../src/config/init/draft.ts';
import { fromCompose } from '../../src/config/init/from-compose.ts';
import { readDockerfile } from '../../src/config/init/from-dockerfile.ts';
import { fromProcfile } from '../../src/config/init/from-procfile.ts';
import { renderDraft } from '../../src/config/init/render-draft.ts';
import { readProject } from '../../src/config/load-project.ts';
import { renderProblems } from '../../src/config/render-problems.ts';

const RUNS = Number(process.env['EVENKEEL_PROPERTY_RUNS'] ?? 300);

const read = (text: string, environment = 'production') =>
  readProject(text, '/nonexistent', { environment, processEnv: { HOME: '/home', N: '3', WORD: 'hunter2' } });

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/);
const duration = fc.tuple(fc.integer({ min: 1, max: 59 }), fc.constantFrom('s', 'm')).map(([n, unit]) => `${n}${unit}`);
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((segments) => `/${segments.join('/')}`);
const variable = fc.stringMatching(/^[A-Z][A-Z_]{0,6}$/).filter((found) => found !== 'PORT');
const value = fc
  .oneof(fc.string(), fc.integer(), fc.boolean())
  .map((found) => (typeof found === 'string' ? found.replaceAll('${', () => '$${') : found));

const rollout = fc.record(
  {
    canary: fc.oneof(
      fc.constant(false),
      fc
        .uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 4 })
        .chain((weights) => fc.constant(weights.toSorted((a, b) => a - b).map((weight) => ({ weight, for: '1m' })))),
    ),
    analysis: fc.record({ errorRate: fc.constantFrom('< 1%', '0.5%'), p95: fc.constantFrom('< 1s', '300ms', false) }),
    onInconclusive: fc.constantFrom('pause', 'promote', 'abort'),
    rollbackWindow: duration,
    drain: duration,
    deadlines: fc.record({ build: duration, verify: duration }, { requiredKeys: [] }),
    keepReleases: fc.integer({ min: 1, max: 100 }),
  },
  { requiredKeys: [] },
);

const service = fc.record(
  {
    run: fc.constantFrom('node main.js', 'x --port $PORT', 'y ${N}'),
    build: fc.constantFrom('make', 'npm ci && npm run build'),
    health: fc.oneof(
      path,
      fc.constant(false),
      fc.record({ path, interval: duration, timeout: duration }, { requiredKeys: [] }),
    ),
    instances: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constant('${N}')),
    timeout: duration,
    env: fc.dictionary(variable, value, { maxKeys: 4 }),
    resources: fc.record(
      { memory: fc.constantFrom('512Mi', '2G'), cpu: fc.constantFrom(0.5, 2) },
      { requiredKeys: [] },
    ),
    data: fc.constantFrom('storage', ['a', 'b']),
    stopGrace: duration,
    keepFailed: fc.boolean(),
    rollout,
  },
  { requiredKeys: ['run'] },
);

/** Services that wait only for earlier ones, each with routes of its own. */
const validFile = fc
  .tuple(
    fc.uniqueArray(name, { minLength: 1, maxLength: 6 }),
    fc.array(service, { minLength: 6, maxLength: 6 }),
    fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
    rollout,
  )
  .map(([names, services, choices, shared]) => ({
    project: 'p',
    services: Object.fromEntries(
      names.map((own, index) => {
        const choice = choices[index] ?? 0;
        const before = index > 0 && choice % 2 === 1 ? { after: [names[choice % index]] } : {};
        return [own, { ...services[index], ...before, routes: [`/${own}`] }];
      }),
    ),
    environments: { production: { domain: 'a.example', rollout: shared }, other: null },
  }));

test('every valid file loads, in every environment', async () => {
  await fc.assert(
    fc.asyncProperty(validFile, fc.constantFrom('development', 'production', 'other'), async (file, environment) => {
      const result = await read(stringify(file), environment);
      expect(result.ok ? [] : result.problems).toEqual([]);
      if (!result.ok) return;
      const order = result.project.services.map((one) => one.name);
      expect(order.toSorted()).toEqual(Object.keys(file.services).toSorted());
      for (const one of result.project.services) {
        for (const before of one.after) expect(order.indexOf(before)).toBeLessThan(order.indexOf(one.name));
      }
    }),
    { numRuns: RUNS },
  );
});

const edit = fc.record({
  at: fc.nat({ max: 10_000 }),
  drop: fc.nat({ max: 12 }),
  insert: fc.oneof(
    fc.string({ maxLength: 4, unit: 'binary' }),
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ': ',
      '\n',
      '\n  ',
      '\t',
      '&a ',
      '*a',
      '<<: ',
      '"',
      "'",
      '|',
      '!',
      '- ',
      '${',
      '${N}',
      '$${',
      '#',
      '~',
    ),
  ),
});

test('no change of a file, however wild, makes anything but a project or problems with places', async () => {
  await fc.assert(
    fc.asyncProperty(validFile, fc.array(edit, { minLength: 1, maxLength: 6 }), async (file, edits) => {
      let text = stringify(file);
      for (const { at, drop, insert } of edits) {
        const start = at % (text.length + 1);
        text = text.slice(0, start) + insert + text.slice(start + drop);
      }
      const result = await read(text);
      if (result.ok) return;
      expect(result.problems.some(({ severity }) => severity === 'error')).toBe(true);
      const lines = text.split(/\r\n|\n|\r/).length;
      for (const { line, column, message } of result.problems) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(message).not.toBe('');
      }
      renderProblems(result.problems);
    }),
    { numRuns: RUNS },
  );
});

test('any value in the place of any other is a problem or a project, never a crash', async () => {
  const anything = fc.jsonValue({ maxDepth: 3 });
  await fc.assert(
    fc.asyncProperty(validFile, fc.array(fc.nat(), { maxLength: 5 }), anything, async (file, way, wrong) => {
      const copy: unknown = structuredClone(file);
      let at: unknown = copy;
      for (const [index, step] of way.entries()) {
        if (typeof at !== 'object' || at === null) break;
        const keys = Object.keys(at);
        const key = keys[step % Math.max(1, keys.length)];
        if (key === undefined) break;
        if (index === way.length - 1) Reflect.set(at, key, wrong);
        at = Reflect.get(at, key);
      }
      const result = await read(stringify(copy));
      if (!result.ok) renderProblems(result.problems);
    }),
    { numRuns: RUNS },
  );
});

test('the value of a variable is never shown, whatever it was put in for', async () => {
  await fc.assert(
    fc.asyncProperty(validFile, fc.array(fc.nat(), { minLength: 2, maxLength: 5 }), async (file, way) => {
      const copy: unknown = structuredClone(file);
      let at: unknown = copy;
      for (const step of way) {
        if (typeof at !== 'object' || at === null) break;
        const keys = Object.keys(at);
        const key = keys[step % Math.max(1, keys.length)] ?? '';
        const inner: unknown = Reflect.get(at, key);
        if (typeof inner !== 'object' || inner === null) Reflect.set(at, key, 'x ${WORD}');
        at = inner;
      }
      const result = await read(stringify(copy));
      if (!result.ok) expect(renderProblems(result.problems)).not.toContain('hunter2');
    }),
    { numRuns: RUNS },
  );
});

const nothing = {
  name: 'x',
  read: () => Promise.resolve(null),
  folders: () => Promise.resolve([]),
  files: () => Promise.resolve([]),
  isFolder: () => Promise.resolve(true),
};
const command = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom('node ${A}', '$A', 'a "b" \'c\': # d', '$${X} $Y', '- x', '| y'),
);
const composeFile = fc.record({
  services: fc.dictionary(
    fc.oneof(name, fc.string()),
    fc.record(
      {
        build: fc.constantFrom('.', './api', '../x', { context: 'a b' }),
        command: fc.oneof(command, fc.array(command)),
        environment: fc.oneof(
          fc.dictionary(fc.oneof(variable, fc.string()), fc.oneof(fc.string(), fc.integer(), fc.constant(null))),
          fc.array(fc.string()),
        ),
        ports: fc.array(fc.oneof(fc.string(), fc.integer())),
        depends_on: fc.array(name),
        healthcheck: fc.record({
          test: fc.oneof(
            command,
            fc.webUrl().map((url) => `curl ${url}`),
          ),
        }),
        image: fc.string(),
      },
      { requiredKeys: [] },
    ),
    { maxKeys: 5 },
  ),
});

test('whatever a compose file, a Procfile or a Dockerfile says, the drafted file can be loaded', async () => {
  await fc.assert(
    fc.asyncProperty(composeFile, fc.array(command, { maxLength: 3 }), async (compose, commands) => {
      const findings = emptyFindings();
      const procfile = commands.map((one, index) => `p${index}: ${one}`).join('\n');
      const fromFile = await fromCompose({
        ...nothing,
        read: async (path) => (path === 'compose.yaml' ? stringify(compose) : null),
      });
      findings.services.push(...fromProcfile(procfile).services, ...fromFile.services);
      const image = readDockerfile(`FROM x\nCMD ${commands[0] ?? 'x'}\n`);
      for (const [index, one] of findings.services.entries()) {
        // Names and circles are settled by the draft as a whole, not by its sources.
        one.run ??= image.run ?? 'x';
        one.name = `s${index}`;
        one.after = [];
        one.dir = '.';
        one.env = Object.fromEntries(Object.entries(one.env).filter(([, text]) => !text.includes('${services.')));
        one.routes = one.routes.length > 0 ? [`/s${index}`] : [];
      }
      if (findings.services.length === 0) return;
      const { secrets } = fromFile;
      const yaml = renderDraft({ project: 'p', schema: null, services: findings.services, secrets, databases: [] });
      const result = await read(yaml);
      expect(result.ok ? [] : result.problems, yaml).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});
