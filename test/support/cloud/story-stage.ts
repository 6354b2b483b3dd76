import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, startCli } from '../../fixtures/cli/run-cli.ts';
import { tempDir } from '../temp.ts';
import { once } from './cloud-run-world.ts';
import { type StoryPlace, writeStory } from './story-project.ts';

export interface Answer {
  status: number;
  body: string;
}

/** Where the story is played: a project in a folder, the command as a process, and a cloud. */
export interface Stage {
  folder: string;
  place: StoryPlace;
  /** `evenkeel … --env production`, to its end. */
  evenkeel(args: string[], input?: string): Promise<Ended>;
  /** `evenkeel cloud … --env production`. */
  cloud(args: string[], input?: string): Promise<Ended>;
  /** Asks an address as a visitor would. */
  visit(url: string): Promise<Answer>;
  /** How often methods of the cloud were called; null where nobody counts. */
  calls(): Promise<Record<string, number> | null>;
  close(): Promise<void>;
}

const commands = (folder: string, env: Record<string, string>) => (args: string[], input?: string) =>
  startCli([...args, '--env', 'production'], { cwd: folder, env, ...(input === undefined ? {} : { input }) }).ended;

/** On this machine, at a pace that a test can wait for. To be called in `beforeAll`. */
export function emulatedStage(): Stage {
  const place: StoryPlace = {
    project: 'chat',
    cloudProject: 'chat-cloud-1',
    region: 'europe-west1',
    pace: { canary: '5s', health: '10s' },
  };
  const folder = tempDir('story');
  const home = tempDir('home');
  const env = {
    HOME: home,
    EVENKEEL_HOME: home,
    EVENKEEL_SECRETS_KEY_FILE: join(home, 'secrets.key'),
    EVENKEEL_EMULATOR_SPEED: '2000',
    EVENKEEL_CLOUD_METRICS: '1000/600',
  };
  writeStory(folder, place);
  const evenkeel = commands(folder, env);
  const emulator = (): { url: string; token: string } =>
    JSON.parse(readFileSync(join(home, 'emulator', 'emulator.json'), 'utf8')) as { url: string; token: string };
  const control = async (what: string): Promise<{ counts: Record<string, number>; violations: string[] }> => {
    const { url, token } = emulator();
    const reply = await fetch(`${url}/_emulator/${what}`, { headers: { authorization: `Bearer ${token}` } });
    return (await reply.json()) as { counts: Record<string, number>; violations: string[] };
  };
  return {
    folder,
    place,
    evenkeel,
    cloud: (args, input) => evenkeel(['cloud', '--emulate', ...args], input),
    visit: (url) => once(emulator().url, url),
    async calls() {
      const { counts, violations } = await control('calls');
      if (violations.length > 0) throw new Error(`the emulator broke its schemas: ${violations.join('; ')}`);
      return counts;
    },
    async close() {
      await evenkeel(['server', 'stop', '--yes']);
      await evenkeel(['cloud', 'emulator', 'stop']);
    },
  };
}

/** In a real project of Google's, with the credentials of whoever runs it. */
export function realStage(cloudProject: string): Stage {
  const place: StoryPlace = {
    // Google keeps the names of databases for a week after they are gone.
    project: `story-${crypto.randomUUID().slice(0, 6)}`,
    cloudProject,
    region: process.env['EVENKEEL_REAL_REGION'] ?? 'europe-west1',
    pace: { canary: '6m', health: '2m' },
  };
  const folder = tempDir('story');
  const home = tempDir('home');
  writeStory(folder, place);
  const evenkeel = commands(folder, {
    EVENKEEL_HOME: home,
    EVENKEEL_SECRETS_KEY_FILE: join(home, 'secrets.key'),
  });
  return {
    folder,
    place,
    evenkeel,
    cloud: (args, input) => evenkeel(['cloud', ...args], input),
    async visit(url) {
      const reply = await fetch(url, { signal: AbortSignal.timeout(30_000) });
      return { status: reply.status, body: await reply.text() };
    },
    calls: () => Promise.resolve(null),
    async close() {
      await evenkeel(['server', 'stop', '--yes']);
    },
  };
}

export interface Visitors {
  /** Of each status, how often it was answered; 0: nothing came back. */
  statuses: Map<number, number>;
  /** Of each version, how often it answered. */
  versions: Map<string, number>;
  stop(): Promise<void>;
}

/** So many a second, each somebody new, until they are stopped. */
export function visitors(visit: () => Promise<Answer>, perSecond: number): Visitors {
  const statuses = new Map<number, number>();
  const versions = new Map<string, number>();
  const count = <K>(all: Map<K, number>, key: K): void => void all.set(key, (all.get(key) ?? 0) + 1);
  const open = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const asked = visit().then(
      ({ status, body }) => {
        count(statuses, status);
        if (status === 200) count(versions, (JSON.parse(body) as { version: string }).version);
      },
      () => count(statuses, 0),
    );
    open.add(asked);
    void asked.finally(() => open.delete(asked));
  }, 1_000 / perSecond);
  return {
    statuses,
    versions,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}
