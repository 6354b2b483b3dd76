/**
 * node scripts/screenshots.ts
 *
 * Takes the pictures of the dashboard that README and docs show, of examples/chat under load: a good release in its canary,
 * and a bad one that was taken back. Needs Debian's chromium. Writes docs/img/dashboard-*.png.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { Stage } from '../examples/demo/chat-stage.ts';
import { standardLoad } from '../test/support/load/options.ts';
import { spawnLoad, type SpawnedLoad } from '../test/support/load/spawn-load.ts';

const FOLDER = join(import.meta.dirname, '../docs/img');
const DESK = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

// Whoever makes them: their name is nobody's business.
process.env['SUDO_USER'] = 'ann';
const stage = await Stage.open(true);
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
let load: SpawnedLoad | null = null as SpawnedLoad | null;
try {
  await takeAll();
} finally {
  await load?.stop().catch(() => null);
  await browser.close();
  await stage.close();
}

async function takeAll(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  appendFileSync(
    join(stage.project, 'evenkeel.yaml'),
    `  staging:\n    port: ${stage.port + 1}\n    bind: 127.0.0.1\n`,
  );
  for (const environment of ['demo', 'staging']) {
    await command(['secrets', 'set', 'JWT_SECRET', '--env', environment], stage.jwtSecret);
    await command(['up', '--env', environment]);
  }
  load = await spawnLoad(
    standardLoad({ host: '127.0.0.1', port: stage.port }, 0.45, {
      jwtSecret: stage.jwtSecret,
      expectBadVersions: ['v3'],
      cookieless: 0.6,
    }),
    { seconds: 600 },
  );
  const light = await signedIn({ viewport: DESK, colorScheme: 'light' });
  const dark = await signedIn({ viewport: DESK, colorScheme: 'dark' });
  const phone = await signedIn({ viewport: PHONE, colorScheme: 'light', deviceScaleFactor: 2 });
  await sleep(20_000);

  stage.changeRelease({ version: 'v2', errorRate: 0, extraDelayMs: 0 });
  const good = command(['deploy', 'api', '--version', 'v2']);
  const [id] = await underWay();
  await light.goto(`/rollouts/${id}`);
  await light.page
    .getByText(/Canary, now/)
    .first()
    .waitFor({ timeout: 60_000 });
  await sleep(8_000);
  await light.take('rollout');
  await phone.goto(`/rollouts/${id}`);
  await phone.take('phone');
  await light.goto('/');
  await light.take('overview');
  await dark.goto('/');
  await dark.take('overview-dark');
  await good;

  stage.changeRelease({ version: 'v3', errorRate: 0.05, extraDelayMs: 150 });
  const bad = command(['deploy', 'api', '--version', 'v3']);
  const [failed] = await underWay();
  await bad;
  await dark.goto(`/rollouts/${failed}`);
  await dark.take('rollout-failed');
  await light.goto('/projects/chat/environments/demo/services/api');
  await light.take('service');
  await light.goto('/projects/chat/environments');
  await light.take('environments');
  await light.goto('/audit');
  await light.take('audit');
  await light.goto('/settings/roles');
  await light.take('settings');
}

interface Screen {
  page: Page;
  goto(path: string): Promise<void>;
  take(name: string): Promise<void>;
}

async function signedIn(options: BrowserContextOptions): Promise<Screen> {
  const context: BrowserContext = await browser.newContext({ ...options, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const { url } = await command(['dashboard']);
  const link = new URL(String(url));
  await page.goto(link.href);
  await page.waitForURL(`${link.origin}/`);
  return {
    page,
    async goto(path) {
      await page.goto(`${link.origin}${path}`);
      await page.getByRole('heading').first().waitFor();
      await sleep(2_000);
    },
    async take(name) {
      await page.screenshot({ path: join(FOLDER, `dashboard-${name}.png`) });
      process.stdout.write(`docs/img/dashboard-${name}.png\n`);
    },
  };
}

/** A command's document. One that took something back has a code of its own, and is no failure here. */
async function command(args: string[], input = ''): Promise<Record<string, unknown>> {
  const { code, documents, errors } = await stage.json(args, input);
  if (code === 1 || code === null) throw new Error(`evenkeel ${args.join(' ')}: ${code} ${errors}`);
  return documents.at(-1) ?? {};
}

async function underWay(): Promise<[string]> {
  for (;;) {
    const { rollouts } = await command(['rollouts', '--limit', '1']);
    const [latest] = rollouts as { id: string; phase: string; end: string | null }[];
    if (latest !== undefined && latest.end === null && latest.phase !== 'watching') return [latest.id];
    await sleep(200);
  }
}
