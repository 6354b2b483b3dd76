import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deployHandlers } from '../../src/api/routes/deploys.ts';
import { callOfWhoMay } from '../support/api/call.ts';
import { policy } from '../support/engine/world.ts';
import { openServedWorld, projectIn, quick, type ServedWorld } from '../support/api/served-world.ts';
import { waitFor } from '../support/wait.ts';

const PRODUCTION = { project: 'shop', environment: 'production' };
const TO_PRODUCTION = { ...PRODUCTION, from: 'staging' };

let served: ServedWorld;

beforeEach(async () => {
  served = await openServedWorld();
});
afterEach(() => served.close());

const promoted = async (rollout: string | null) => {
  if (rollout === null) throw new Error('nothing was begun');
  return waitFor(
    async () => {
      const seen = await served.client.getRollout({ rollout });
      return (seen.promotedAt !== null || seen.end !== null) && seen;
    },
    { what: 'its promotion', timeout: 20_000 },
  );
};

/** Another version in staging than in production. */
async function both(staging = quick('api'), production = quick('api')): Promise<void> {
  await served.serve(projectIn('production', [production, quick('old')]), 'v1');
  served.world.builder.sourceInfo = async (_root, label) => ({ commit: 'beef', dirty: false, label });
  await served.serve(projectIn('staging', [staging, quick('new')], { port: 8081 }), 'v2');
}

describe('a promotion from staging to production', () => {
  test('brings the same files with the configuration of production, and builds nothing', async () => {
    await both(
      quick('api', { env: { MODE: ['staging'] } }),
      quick('api', { env: { MODE: ['production'] }, migrate: 'node migrate.js' }),
    );
    const { client, world } = served;
    await expect(client.promoteReleases(TO_PRODUCTION)).rejects.toMatchObject({ code: 'definition-behind' });
    await served.serve(
      projectIn('staging', [quick('api', { env: { MODE: ['staging'] }, migrate: 'node migrate.js' }), quick('new')], {
        port: 8081,
      }),
      'v3',
    );
    const built = world.builder.built.length;
    const { rollout, message } = await client.promoteReleases({ ...TO_PRODUCTION, comment: 'it was quiet all day' });
    expect(message).toContain('it was quiet all day');
    const seen = await promoted(rollout);
    expect(seen).toMatchObject({ kind: 'deploy', services: [{ service: 'api', label: 'v3' }] });
    expect(world.builder.built).toHaveLength(built);
    const { entries } = await client.getStory({ rollout: rollout ?? '' });
    // What is new here is migrated here.
    expect(entries.map(({ to }) => to)).toContain('migrating');
    const { services } = await client.compareEnvironments({ project: 'shop', environments: 'staging,production' });
    expect(services.find(({ service }) => service === 'api')).toMatchObject({
      sameArtifact: true,
      sameConfig: false,
      sides: [{ commit: 'beef' }, { commit: 'beef', release: seen.services[0]?.to }],
    });
    // What only staging has is not dragged along, and what only production has stays.
    expect(services.map(({ service, sides }) => [service, ...sides.map((side) => side !== null)])).toEqual([
      ['api', true, true],
      ['new', true, false],
      ['old', false, true],
    ]);
    expect(await client.promoteReleases(TO_PRODUCTION)).toMatchObject({ rollout: null });
  });

  test('has the canary and the approvals of production', async () => {
    const definition = { ...projectIn('production', [quick('api')], { approve: { people: 1 } }) };
    const { rollout: first } = await served.client.deploy({ ...PRODUCTION, definition });
    if (first === null) throw new Error('nothing was begun');
    await waitFor(async () => (await served.client.getRollout({ rollout: first })).paused !== null, {
      what: 'the pause',
    });
    await served.another.answerApproval({ rollout: first, kind: 'approve' });
    await promoted(first);
    await served.serve(projectIn('staging', [quick('api')], { port: 8081 }), 'v2');
    const { rollout } = await served.client.promoteReleases(TO_PRODUCTION);
    const paused = await waitFor(
      async () => {
        const seen = await served.client.getRollout({ rollout: rollout ?? '' });
        return seen.paused !== null && seen;
      },
      { what: 'it to wait for somebody', timeout: 20_000 },
    );
    expect(paused).toMatchObject({ approvals: { needed: 1 }, paused: { reason: 'approval' } });
  });

  test('is refused where the build has read other values, unless somebody knows better', async () => {
    const web = (api: string) => quick('api', { build: 'npm run build', env: { API: [api] } });
    await both(web('https://staging'), web('https://production'));
    const { client } = served;
    await expect(client.promoteReleases(TO_PRODUCTION)).rejects.toMatchObject({
      code: 'built-for-another',
      message: expect.stringContaining('api (env.API)'),
    });
    await promoted((await client.promoteReleases({ ...TO_PRODUCTION, acceptBuild: true })).rollout);
  });

  test('is refused of what there is not, and to who may not see it', async () => {
    await both();
    const { client, world } = served;
    for (const [asked, code] of [
      [{ ...TO_PRODUCTION, from: 'mars' }, 'environment-unknown'],
      [{ ...TO_PRODUCTION, environment: 'mars' }, 'environment-unknown'],
      [{ ...TO_PRODUCTION, services: ['new'] }, 'service-unknown'],
      [{ ...TO_PRODUCTION, services: ['old'] }, 'nothing-to-promote'],
    ] as const)
      await expect(
        client.promoteReleases({ ...asked, services: [...('services' in asked ? asked.services : ['api'])] }),
      ).rejects.toMatchObject({ code });
    const { promoteReleases } = deployHandlers(served.deps);
    const call = callOfWhoMay((_, scope) => scope?.environment === 'production');
    const asked = { ...TO_PRODUCTION, services: null, acceptBuild: false, comment: null };
    await expect(promoteReleases(asked, call)).rejects.toMatchObject({ code: 'environment-unknown' });
    world.builder.has = async () => false;
    await expect(client.promoteReleases(TO_PRODUCTION)).rejects.toMatchObject({ code: 'artifact-gone' });
    world.builder.has = async () => true;
    await client.down(PRODUCTION);
    await expect(client.promoteReleases(TO_PRODUCTION)).rejects.toMatchObject({ code: 'environment-down' });
  });

  test('waits for nobody who is under way', async () => {
    const canary = quick('api', { rollout: policy({ drainMs: 10, canary: [{ weight: 50, forMs: 60_000 }] }) });
    await both(quick('api'), canary);
    const { client } = served;
    const { rollout } = await client.promoteReleases(TO_PRODUCTION);
    expect(rollout).not.toBeNull();
    await expect(client.promoteReleases(TO_PRODUCTION)).rejects.toMatchObject({ code: 'rollout-under-way' });
  });
});
