import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/domain/migration/finding.ts';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { deploy } from '../../src/engine/operations/deploy.ts';
import { until } from '../../src/engine/operations/until.ts';
import { openWorld, project, service, type World } from '../support/engine/world.ts';

let world: World;
/** Files that were given to the reader, time after time. */
let asked: string[][];
beforeEach(async () => {
  world = await openWorld();
  asked = [];
  world.engine.deps.migrations = {
    async examine(files) {
      asked.push(files.map(({ absolute }) => absolute));
      return { findings: files.map(({ path }) => breaking(path)), read: files.length };
    },
  };
});
afterEach(() => world.close());

const breaking = (file: string): Finding => ({
  code: 'drop-column',
  severity: 'breaking',
  file,
  line: 3,
  statement: 'ALTER TABLE users DROP COLUMN name',
  what: 'drops the column users.name',
  why: 'it is read',
  next: 'do it later',
  uses: [{ file: 'main.js', line: 7, text: 'user.name' }],
});
const migration = { path: 'migrations/2.sql', size: 10, sha: 'two' };

const begin = (over: Parameters<typeof service>[1] = {}, allowBreakingMigrations = false) =>
  deploy(world.engine, {
    project: project([service('api', { migrate: 'migrate', ...over })]),
    services: null,
    onlyChanged: false,
    label: null,
    replace: false,
    keepFailed: null,
    allowBreakingMigrations,
    by: 'ada',
  });

async function over(id: string | undefined): Promise<Rollout> {
  await until(world.engine, async () => (await world.store.rollout(id ?? ''))?.settled === true, {
    what: 'a settled end',
    timeoutMs: 86_400_000,
  });
  const rollout = await world.store.rollout(id ?? '');
  if (rollout === null) throw new Error('no rollout');
  return rollout;
}

const migrations = (): number => world.jobs.started.filter(({ command }) => command === 'migrate').length;

describe('what a deploy would break', () => {
  test('refuses it before anything is written or built', async () => {
    world.builder.sourceFiles = async () => [migration];
    // Nobody is served yet who could be hurt.
    await over((await begin()).rollout?.id);
    expect(asked).toEqual([]);
    const built = world.builder.built.length;
    await expect(begin()).rejects.toMatchObject({
      code: 'migration-breaking',
      exit: 1,
      where: 'migrations/2.sql:3',
      why: expect.stringContaining('named in main.js:7: user.name'),
      next: expect.stringContaining('do it later'),
    });
    expect(asked).toEqual([['/shop/migrations/2.sql']]);
    expect(await world.store.rollouts({})).toHaveLength(1);
    expect(world.builder.built).toHaveLength(built);
    expect(migrations()).toBe(1);
  });

  test('is told, and run, when a person or the file says so; the story keeps it', async () => {
    await over((await begin()).rollout?.id);
    world.builder.sourceFiles = async () => [migration];
    const insisted = await begin({}, true);
    expect(insisted.migrations).toMatchObject([
      { service: 'api', running: 'api@1', findings: [{ code: 'drop-column' }] },
    ]);
    expect((await over(insisted.rollout?.id)).end).toBe('complete');
    const [line] = await world.store.journal(insisted.rollout?.id ?? '');
    expect(line).toMatchObject({
      reason: expect.stringContaining('allowed by hand'),
      detail: { migrations: [{ findings: [{ file: 'migrations/2.sql' }] }] },
    });
    const warned = await begin({ migrations: { folders: null, breaking: 'warn' } });
    expect((await over(warned.rollout?.id)).end).toBe('complete');
    expect(migrations()).toBe(3);
    const times = asked.length;
    const unseen = await begin({ migrations: { folders: null, breaking: 'off' } });
    expect((await over(unseen.rollout?.id)).end).toBe('complete');
    expect(asked).toHaveLength(times);
  });

  test('is looked for once more in what was built, before the migration runs', async () => {
    const first = await begin();
    await over(first.rollout?.id);
    const former = (await world.store.release('shop', 'api@1'))?.artifact;
    world.builder.artifactFiles = async (artifact) => (artifact === former ? [] : [migration]);
    const second = await begin();
    expect(await over(second.rollout?.id)).toMatchObject({
      end: 'failed',
      reason: expect.stringMatching(/migration of api@2 failed: .*may break api@1 \(api\), so they are not run/),
    });
    expect(migrations()).toBe(1);
    expect((await over((await begin({}, true)).rollout?.id)).end).toBe('complete');
    expect(migrations()).toBe(2);
  });

  test('is looked for again when the look itself went wrong', async () => {
    await over((await begin()).rollout?.id);
    let failures = 0;
    const real = world.builder.artifactFiles.bind(world.builder);
    world.builder.artifactFiles = async (artifact) => {
      // The first one is the deploy's own.
      if (failures++ === 1) throw new Error('the disk is slow today');
      return real(artifact);
    };
    expect((await over((await begin()).rollout?.id)).end).toBe('complete');
    expect(failures).toBeGreaterThan(2);
    expect(migrations()).toBe(2);
  });
});
