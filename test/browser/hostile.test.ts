import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { RolloutView } from '../../src/api/contract/rollouts.ts';
import type { Overview } from '../../src/api/contract/overview.ts';
import { loadProject } from '../../src/config/load-project.ts';
import { app, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { noBrowser, tooWide } from '../support/browser/browser.ts';
import { type Screens, screens } from '../support/browser/screens.ts';
import { pathOf } from '../support/evenkeel-home.ts';

/** Every string that somebody may choose, as somebody bad would. */
const BAD = `<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>'"</title><a href="javascript:globalThis.hacked=1">x</a>`;

const system = sharedSystem();
let it: Screens;

/** Nothing of it ran, and nothing of it became a part of the page. A refusal of the policy would fail `openPage`. */
async function harmless(page: Page): Promise<void> {
  await page.getByText('onerror="globalThis.hacked=1"').and(page.locator(':visible')).first().waitFor();
  expect(await page.evaluate('globalThis.hacked')).toBeUndefined();
  expect(await page.locator('img, a[href^="javascript"], script:not([src])').count()).toBe(0);
}

describe.skipIf(noBrowser !== null)('text that somebody bad has chosen', () => {
  it = screens(system);

  test('is text: in versions, comments, output of builds, and logs', async () => {
    const shop = await folder({
      service: ['build: node build.js'],
      files: { 'build.js': `console.log(${JSON.stringify(BAD)})` },
    });
    shop.program(app('v1', `setInterval(() => console.log(${JSON.stringify(`${BAD}\u202e\u001b[31m`)}), 200);`));
    const loaded = await loadProject({ root: shop.root, environment: 'development', processEnv: system.env });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const { rollout } = await system.post<{ rollout: string }>(`${pathOf('shop', 'development')}/deploy`, {
      definition: loaded.project,
      label: BAD.slice(0, 200),
    });
    await system.reach(rollout, ({ promotedAt }) => promotedAt !== null, 'its promotion');
    const page = await it.page();
    await page.goto(it.dashboard.link(`/rollouts/${rollout}`));
    await page.getByRole('log', { name: 'Output of Build' }).getByText('onerror').waitFor();
    await harmless(page);
    await page.goto(it.dashboard.link('/projects/shop/environments/development/services/api'));
    const logs = page.getByRole('log', { name: 'Logs of api' });
    await logs.getByText('onerror').first().waitFor();
    await harmless(page);
    const shown = await logs.innerText();
    for (const unseen of ['\u001b', '\u202e']) expect(shown).not.toContain(unseen);
    // Regular expressions are the controller's business; one that cannot be is told.
    await page.getByRole('searchbox').fill('nothing (like this');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await page.getByRole('searchbox').fill('no line has this');
    await page.keyboard.press('Enter');
    await page.getByText('No line has it.').waitFor();
  });

  test('is text: in names of projects, environments, services and people, whatever the API says', async () => {
    const overview = await system.get<Overview>('/api/v1/overview');
    const { rollouts } = await system.get<{ rollouts: RolloutView[] }>('/api/v1/rollouts');
    const page = await it.page();
    await page.route('**/api/v1/overview*', (route) => route.fulfill({ json: everyText(overview) }));
    await page.route('**/api/v1/rollouts?*', (route) =>
      route.fulfill({ json: { rollouts: everyText(rollouts), next: null } }),
    );
    await page.goto(it.dashboard.link());
    await harmless(page);
    expect(await tooWide(page)).toBe(0);
    const side = { release: BAD, label: BAD, commit: BAD, dirty: true, artifact: BAD, configDigest: BAD };
    const config = [
      { added: [], removed: [], changed: [] },
      { added: [BAD], removed: [BAD], changed: [BAD] },
    ];
    const comparison = {
      project: BAD,
      environments: [BAD, `${BAD} 2`],
      services: [{ service: BAD, sides: [side, side], sameArtifact: false, sameConfig: false, config }],
      secrets: [{ name: BAD, set: [true, false] }],
    };
    await page.route('**/comparison?*', (route) => route.fulfill({ json: comparison }));
    const two = everyText(overview) as Overview;
    const [row] = two.services;
    if (row === undefined) throw new Error('nothing serves');
    two.services.push({ ...row, environment: `${BAD} 2` });
    await page.route('**/api/v1/overview*', (route) => route.fulfill({ json: two }));
    for (const path of ['/environments', '/objectives', '/rollouts']) {
      await page.goto(it.dashboard.link(path));
      await harmless(page);
      expect(await tooWide(page)).toBe(0);
    }
  });
});

/** Words that the contract lists stay; anything else could be anything. */
const LISTED =
  /^(http|static|worker|backend|web|landing|warning|critical|up|down|healthy|degraded|stopped|unknown|running|deploy|rollback|complete|pass|inconclusive|owner|window|rate|ms|ok)$/;

function everyText(value: unknown): unknown {
  if (typeof value === 'string') return LISTED.test(value) ? value : BAD;
  if (Array.isArray(value)) return value.map(everyText);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, everyText(each)]));
}
