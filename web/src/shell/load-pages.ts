import { onConnection } from '../api/connection.ts';
import { router } from '../router.tsx';

/** When the page that is shown has what it needs. */
const AFTER_MS = 1_500;

/**
 * Fetches the files of all other pages while nothing else is to be done: whoever goes from one page to another while the
 * controller is away keeps what was seen last, and nobody waits for a file in the midst of an incident.
 */
export function loadPagesLater(): void {
  setTimeout(() => {
    requestIdleCallback(() => void loadPages());
    // What did not come while the controller was away; what is there is not asked for again.
    onConnection(({ state }) => {
      if (state === 'connected') void loadPages();
    });
  }, AFTER_MS);
}

async function loadPages(): Promise<void> {
  for (const { options } of Object.values(router.routesById)) {
    await options.component?.preload?.();
  }
  await import('../ui/TimeChart.tsx').catch(() => undefined);
}
