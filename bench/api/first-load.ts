import { waitFor } from '../../test/support/wait.ts';
import { SERVICES } from '../idle/services.ts';
import { largest, median, rounded } from '../report/figures.ts';
import type { Bench, Row } from '../report/row.ts';
import type { InBrowser } from './in-browser.ts';

interface Load {
  /** Bytes as they came over the wire, of scripts, styles and the page itself, packed by gzip. */
  readonly bytes: number;
  /** From the begin of the navigation, ms. */
  readonly painted: number;
  readonly shown: number;
  readonly interactive: number;
}

const KIB = 1_000;

/**
 * Runs in the page before anything else: notes when the table of services is there, and the end of the last long task. It
 * can be used once both have passed.
 */
const WATCH = `
  globalThis.__seen = { shown: null, busyUntil: 0 };
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) __seen.busyUntil = each.startTime + each.duration;
  }).observe({ type: 'longtask', buffered: true });
  new MutationObserver((_, observer) => {
    if (document.querySelector('section[aria-label="Services"] tbody th a') === null) return;
    __seen.shown = performance.now();
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
`;

const RESULT = `({
  ...__seen,
  painted: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
})`;

/** How much a browser loads that comes for the first time, and when one can do something with it. */
export async function firstLoadRows({ quick, say, signal }: Bench, browser: InBrowser | null): Promise<Row[]> {
  if (browser === null) return rowsOf([]);
  const loads: Load[] = [];
  for (let i = quick ? 3 : 15; i > 0 && !signal.aborted; i--) loads.push(await load(browser));
  say(`first load ${rounded(median(loads.map(({ interactive }) => interactive)))} ms`);
  return rowsOf(loads);
}

async function load(browser: InBrowser): Promise<Load> {
  const context = await browser.visitor();
  try {
    const page = await context.newPage();
    const network = await context.newCDPSession(page);
    // Browsers on loopback take brotli only over https; said here, so that it is the same everywhere.
    await page.setExtraHTTPHeaders({ 'accept-encoding': 'gzip' });
    await page.addInitScript(WATCH);
    const files = new Map<string, number>();
    const kinds = new Map<string, string>();
    network.on('Network.responseReceived', ({ requestId, type }) => void kinds.set(requestId, type));
    network.on(
      'Network.loadingFinished',
      ({ requestId, encodedDataLength }) => void files.set(requestId, encodedDataLength),
    );
    await network.send('Network.enable');
    await page.goto(browser.origin);
    await waitFor(() => page.evaluate<boolean>('__seen.shown !== null'), {
      what: 'the services to be shown',
      timeout: 30_000,
    });
    // A long task that had begun by then is told of once it is over.
    await page.waitForTimeout(500);
    const { shown, busyUntil, painted } = await page.evaluate<{ shown: number; busyUntil: number; painted: number }>(
      RESULT,
    );
    const isFile = (id: string): boolean =>
      ['Document', 'Script', 'Stylesheet', 'Font', 'Image'].includes(kinds.get(id) ?? '');
    const bytes = [...files].reduce((sum, [id, each]) => sum + (isFile(id) ? each : 0), 0);
    return { bytes, painted, shown, interactive: Math.max(shown, busyUntil) };
  } finally {
    await context.close();
  }
}

function rowsOf(loads: readonly Load[]): Row[] {
  const of = (what: keyof Load): number[] => loads.map((each) => each[what]);
  const here = loads.length > 0;
  const bytes = here ? largest(of('bytes')) / KIB : null;
  const interactive = here ? median(of('interactive')) : null;
  const missing = 'there is no Chromium here';
  return [
    {
      id: 'first-load-size',
      what: 'dashboard, first load of the overview, over the wire (gzip)',
      budget: '<= 300 kB',
      measured: bytes,
      unit: 'kB',
      ok: bytes === null ? null : bytes <= 300,
      detail: here
        ? 'page, scripts, styles and icons with their headers, as Chromium counted them, pages that are fetched ahead included'
        : missing,
      figures: bytes === null ? {} : { kilobytes: bytes },
    },
    {
      id: 'first-load-interactive',
      what: `dashboard, first load until it can be used, ${SERVICES} services, Chromium on loopback`,
      budget: '<= 1,500 ms',
      measured: interactive,
      unit: 'ms',
      ok: interactive === null ? null : interactive <= 1_500,
      detail: here
        ? `median of ${loads.length}, each with nothing kept of the one before: the services are shown, and no long task runs; ` +
          `largest ${rounded(largest(of('interactive')))} ms; first paint ${rounded(median(of('painted')))}, services ${rounded(median(of('shown')))} ms`
        : missing,
      figures: here
        ? { interactive: median(of('interactive')), shown: median(of('shown')), painted: median(of('painted')) }
        : {},
    },
  ];
}
