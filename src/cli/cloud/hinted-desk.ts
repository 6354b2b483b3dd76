import type { CloudEvent } from '../../api/contract/cloud/run.ts';
import type { CloudDesk } from './desk.ts';
import { type Hint, hinted } from './hints.ts';

/** A desk whose documents, events and results name commands as they are to be typed. */
export function hintedDesk(desk: CloudDesk, hint: Hint): CloudDesk {
  const told = async <T>(found: Promise<T>): Promise<T> => hinted(await found, hint);
  const telling =
    (onEvent: (event: CloudEvent) => void) =>
    (event: CloudEvent): void =>
      onEvent(hinted(event, hint));
  return {
    emulator: desk.emulator,
    status: (options, signal) => told(desk.status(options, signal)),
    list: (signal) => told(desk.list(signal)),
    cost: (signal) => told(desk.cost(signal)),
    urls: (options, signal) => told(desk.urls(options, signal)),
    // Lines of a build are what was written there, and are shown as they are.
    build: (asked, signal) => told(desk.build(asked, signal)),
    setSecret: (name, value, signal) => desk.setSecret(name, value, signal),
    async plan(only, signal) {
      const { document, run } = await desk.plan(only, signal);
      return { document: hinted(document, hint), run: (onEvent, until) => told(run(telling(onEvent), until)) };
    },
    async rest(running, signal) {
      const { document, run, ...rest } = await desk.rest(running, signal);
      return {
        ...rest,
        document: hinted(document, hint),
        run: (addresses, onEvent, until) => told(run(addresses, telling(onEvent), until)),
      };
    },
    async cleanup(options, signal) {
      const prepared = await desk.cleanup(options, signal);
      return {
        ...prepared,
        document: hinted(prepared.document, hint),
        run: (addresses, onEvent, until) => told(prepared.run(addresses, telling(onEvent), until)),
      };
    },
  };
}
