import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeEvent } from '../../src/api/contract/changes.ts';
import type { JournalView } from '../../src/api/contract/rollouts.ts';
import type { UnixClient } from '../../src/platform/unix-http.ts';
import type { System } from '../../test/support/evenkeel-home.ts';
import { waitFor } from '../../test/support/wait.ts';
import { SERVICES } from '../idle/services.ts';
import { largest, median, quantile, rounded } from '../report/figures.ts';
import type { Bench, Row } from '../report/row.ts';
import type { InBrowser } from './in-browser.ts';

/** When a phase of a rollout was heard of or seen first, wall time; undefined: it was over before. */
type When = (rollout: string, phase: string) => number | undefined;

/** From a transition, as its journal has it, to a reader of the events, and to what a browser shows of it. */
export async function latencyRows(
  { quick, say, signal }: Bench,
  system: System,
  client: UnixClient,
  { root, browser }: { root: string; browser: InBrowser | null },
): Promise<Row[]> {
  const following = follow(client);
  const watching = browser === null ? null : await watch(browser);
  await sleep(500);
  const heard: number[] = [];
  const seen: number[] = [];
  for (let i = quick ? 3 : 15; i > 0 && !signal.aborted; i--) {
    const id = await system.deploy(root, { services: [`s0${1 + (i % 9)}`] });
    await system.reach(id, ({ phase, end }) => phase === 'watching' || end !== null, `${id} to be promoted`);
    await waitFor(() => following.when(id, 'watching') !== undefined, { what: 'its promotion to be heard' });
    const shown = await watching?.shown(id);
    const { entries } = (await client.json({ path: `/api/v1/rollouts/${id}/story` })) as { entries: JournalView[] };
    for (const [phase, at] of new Map(entries.map(({ to, at }) => [to, at]))) {
      heard.push(...late(following.when, id, phase, at));
      if (shown !== undefined) seen.push(...late(shown, id, phase, at));
    }
  }
  await Promise.all([following.stop(), watching?.stop()]);
  say(
    `${heard.length} transitions heard after ${rounded(median(heard))} ms, ${seen.length} seen after ${rounded(median(seen))} ms`,
  );
  return [
    row('event-latency', 'a transition to whoever follows the events, p99', 250, heard, 'with the stream client'),
    row(
      'event-latency-browser',
      'a transition to what the list of rollouts shows in Chromium, p99',
      500,
      seen,
      'the page asks for the rollout once it has heard; phases that were over before are left out',
    ),
  ];
}

function late(when: When, id: string, phase: string, at: number): number[] {
  const then = when(id, phase);
  return then === undefined ? [] : [Math.max(0, then - at)];
}

function follow(client: UnixClient): { when: When; stop(): Promise<void> } {
  const gone = new AbortController();
  const heard = new Map<string, number>();
  const following = (async () => {
    for await (const event of client.events({ path: '/api/v1/events', signal: gone.signal })) {
      const change = event === null ? null : (JSON.parse(event.data) as ChangeEvent);
      if (change?.type !== 'rollout') continue;
      const key = `${change.rollout} ${change.end ?? change.phase}`;
      if (!heard.has(key)) heard.set(key, Date.now());
    }
  })().catch(() => undefined);
  return {
    when: (rollout, phase) => heard.get(`${rollout} ${phase}`),
    async stop() {
      gone.abort();
      await following;
    },
  };
}

/** Runs in the page: notes when the row of a rollout first shows another word. */
const WATCH = `
  globalThis.__words = {};
  new MutationObserver(() => {
    for (const row of document.querySelectorAll('a[href^="/rollouts/"]')) {
      const word = row.children[1]?.textContent?.trim() ?? '';
      __words[row.getAttribute('href').slice(10) + ' ' + word] ??= Date.now();
    }
  }).observe(document, { childList: true, subtree: true, characterData: true });
`;

async function watch(browser: InBrowser): Promise<{ shown(id: string): Promise<When>; stop(): Promise<void> }> {
  const context = await browser.visitor();
  const page = await context.newPage();
  await page.addInitScript(WATCH);
  await page.goto(`${browser.origin}/rollouts`);
  await page.locator('a[href^="/rollouts/"]').first().waitFor();
  return {
    async shown(id) {
      // Asked from outside: the page lets nobody make code of text.
      const there = (): Promise<boolean> => page.evaluate<boolean>(`${JSON.stringify(`${id} watching`)} in __words`);
      await waitFor(there, { what: 'its promotion to be shown' });
      const words = await page.evaluate<Record<string, number>>('__words');
      return (rollout, phase) => words[`${rollout} ${phase}`];
    },
    stop: () => context.close(),
  };
}

function row(id: string, what: string, budget: number, late: readonly number[], how: string): Row {
  const here = late.length > 0;
  const p99 = here ? quantile(late, 0.99) : null;
  return {
    id,
    what,
    budget: `<= ${budget} ms`,
    measured: p99,
    unit: 'ms',
    ok: p99 === null ? null : p99 <= budget,
    detail: here
      ? `of ${late.length} transitions with ${SERVICES} services, ${how}; median ${rounded(median(late))}, largest ${rounded(largest(late))} ms`
      : 'there is no Chromium here',
    figures: p99 === null ? {} : { p99, median: median(late), largest: largest(late) },
  };
}
