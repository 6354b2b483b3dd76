import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudDatabase } from '../../../domain/cloud/config.ts';
import type { Desired, Kind, Observed } from '../../../domain/cloud/resource.ts';
import type { Cloud, CloudScope, Look } from '../../../ports/cloud.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { GoogleHttp } from '../../../platform/google/http.ts';
import { GoogleRefusal } from '../../../platform/google/refusal.ts';
import { pollPause } from '../../../platform/google/retry.ts';
import { writeAccountKey } from './account-key.ts';
import { withExit2 } from './exit.ts';
import { readBill } from './bill.ts';
import { billingOn } from './billing.ts';
import { type Google, openDriver } from './google.ts';
import type { Work } from './kind-driver.ts';
import { kindDrivers } from './kinds.ts';
import { lookAt } from './look.ts';
import { giveValue, goesToDatabase } from './give-value.ts';

/**
 * A project on Google Cloud. `http` carries the credentials; `database` is that of the file, by which it is known where
 * a user's password is kept. Nothing is remembered between calls: what is under way is found by looking.
 */
export function googleCloud(options: {
  scope: CloudScope;
  http: GoogleHttp;
  database: CloudDatabase | null;
}): Cloud & { google: Google } {
  const google = openDriver(options.scope, options.http, options.database);
  const work = (progress: (step: { doing: string }) => void, signal: AbortSignal): Work => ({
    google,
    signal,
    say: (doing) => progress({ doing }),
  });
  return {
    google,
    async greet(signal) {
      const [projectNumber, billing] = await Promise.all([google.projectNumber(signal), billingOn(google, signal)]);
      return { projectNumber, billing };
    },
    look: (kinds, how): AsyncIterable<Look> => lookAt(google, kinds, how),
    create: (resource, progress, signal) =>
      changing(google, signal, () => driverOf(resource.kind).create(resource, work(progress, signal))),
    update: (resource, observed, progress, signal) =>
      changing(google, signal, () => driverOf(resource.kind).update(resource, observed, work(progress, signal))),
    remove: (observed, progress, signal) =>
      changing(google, signal, () => driverOf(observed.kind).remove(observed, work(progress, signal))),
    setRunning: (observed, running, progress, signal) =>
      changing(google, signal, async () => {
        const { setRunning } = driverOf(observed.kind);
        if (setRunning === undefined) throw restsNot(observed);
        await setRunning(observed, running, work(progress, signal));
      }),
    async setSecret(id, value, signal) {
      const quietly = work(() => undefined, signal);
      const withDatabase = await goesToDatabase(quietly, id);
      await changing(google, signal, () => giveValue(quietly, { id, value, withDatabase }));
      return withDatabase ? 'database' : 'secret';
    },
    accountKey: (account, file, signal) =>
      changing(google, signal, () => writeAccountKey(google, account, file, signal)),
    billed: (table, month, signal) => readBill(google, { table, month }, signal),
  };
}

/** Each kind's driver takes its own kind alone; which that is, the table says. */
interface AnyDriver {
  create(wanted: Desired, work: Work): Promise<Observed>;
  update(wanted: Desired, seen: Observed, work: Work): Promise<Observed>;
  remove(seen: Observed, work: Work): Promise<void>;
  setRunning?(seen: Observed, running: boolean, work: Work): Promise<void>;
}

const driverOf = (kind: Kind): AnyDriver => kindDrivers[kind];

/** ms in which Google may go on saying that an API is off that has just been switched on. */
const SPREADING = 180_000;

/** Whatever fails once something was to be changed has exit 2: it may have been changed in part. */
async function changing<T>(google: Google, signal: AbortSignal, change: () => Promise<T>): Promise<T> {
  for (let looks = 0; ; looks += 1) {
    try {
      return await change();
    } catch (error) {
      if (!(error instanceof EvenkeelError)) throw error;
      const enabled = error instanceof GoogleRefusal ? (google.enabled.get(error.api) ?? 0) : 0;
      if (error.code !== 'cloud-api-disabled' || Date.now() - enabled > SPREADING) throw withExit2(error);
      const pause = pollPause(looks, { first: google.http.pace * 4, random: Math.random() });
      await sleep(pause, undefined, { signal }).catch(() => {
        throw withExit2(error);
      });
    }
  }
}

const restsNot = ({ kind, name }: Observed): EvenkeelError =>
  new EvenkeelError({
    code: 'cloud-no-rest',
    what: `${kind}/${name} can neither be started nor stopped`,
    next: '`evenkeel cloud start` and `evenkeel cloud stop` take services and databases',
  });
