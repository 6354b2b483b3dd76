import type { Operation } from '../../../../platform/google/operations.ts';
import { EvenkeelError } from '../../../../ports/errors.ts';
import type { Google } from '../google.ts';
import {
  allPages,
  begun,
  carriedOut,
  ifThere,
  type KindDriver,
  lastPart,
  type Seen,
  untilSo,
  waiting,
} from '../kind-driver.ts';

interface Connector {
  name?: string;
  network?: string;
  ipCidrRange?: string;
  minInstances?: number;
  maxInstances?: number;
  state?: string;
}

const BASE = 'https://vpcaccess.googleapis.com/v1';

const parentOf = ({ scope }: Google): string =>
  `${BASE}/projects/${scope.cloudProject}/locations/${scope.region}/connectors`;

const find = (google: Google, name: string, signal: AbortSignal): Promise<Connector | null> =>
  ifThere(() => google.http.request<Connector>('GET', `${parentOf(google)}/${name}`, { signal }));

const inError = (name: string): EvenkeelError =>
  new EvenkeelError({
    code: 'cloud-operation-failed',
    what: `connector/${name} came up in error, and was removed again`,
    why: 'its range may overlap with a subnet of the network',
    next: 'choose a free /28 (cloud.network.range), and set up again',
    exit: 2,
  });

const seenOf = (google: Google, found: Connector): Seen<'connector'> => ({
  kind: 'connector',
  name: lastPart(found.name),
  location: google.scope.region,
  attributes: {
    network: found.network ?? '',
    range: found.ipCidrRange ?? '',
    minInstances: found.minInstances ?? 2,
    maxInstances: found.maxInstances ?? 10,
  },
  labels: {}, // it can bear none
  state: found.state === 'READY' ? 'ready' : found.state === 'ERROR' ? 'failed' : 'changing',
  createdAt: null,
});

export const connector: KindDriver<'connector'> = {
  async observe({ google, signal }) {
    const all = await allPages(
      (pageToken) =>
        google.http.request<{ connectors?: Connector[]; nextPageToken?: string }>('GET', parentOf(google), {
          query: { pageSize: 500, pageToken },
          signal,
        }),
      (page) => page.connectors,
    );
    return all.map((found) => seenOf(google, found));
  },
  async create(wanted, work) {
    const { google, signal, say } = work;
    const { network, range, minInstances, maxInstances } = wanted.attributes;
    say('creating');
    const body = { network, ipCidrRange: range, minInstances, maxInstances };
    const query = { connectorId: wanted.name };
    const begin = () => google.http.request<Operation>('POST', parentOf(google), { query, body, signal });
    const wait = waiting(work, wanted, 'creating');
    const end = async (): Promise<Connector> => {
      const look = async () => {
        const found = await find(google, wanted.name, signal);
        return found === null || found.state === 'CREATING' || found.state === 'UPDATING' ? null : found;
      };
      return untilSo(look, wait);
    };
    let problem: EvenkeelError | null = null;
    // One that failed stays, takes the name, and is good for nothing: it makes way for another try.
    for (let tries = 1; tries <= 2; tries += 1) {
      const fresh = await begun(BASE, begin, wait, say).catch((error: unknown) => {
        if (signal.aborted || !(error instanceof EvenkeelError) || error.code !== 'cloud-operation-failed') throw error;
        problem = error;
        return true;
      });
      const made = await (problem === null ? end() : find(google, wanted.name, signal));
      if (made?.state === 'READY') return seenOf(google, made);
      if (made !== null) await connector.remove(seenOf(google, made), work);
      if (fresh) break;
    }
    throw problem ?? inError(wanted.name);
  },
  async update(wanted, _seen, work) {
    const { google, signal, say } = work;
    say('updating');
    const { minInstances, maxInstances } = wanted.attributes;
    const url = `${parentOf(google)}/${wanted.name}`;
    const query = { updateMask: 'minInstances,maxInstances' };
    const begin = () =>
      google.http.request<Operation>('PATCH', url, { query, body: { minInstances, maxInstances }, signal });
    await carriedOut(BASE, begin, waiting(work, wanted, 'updating'), say);
    return seenOf(google, await google.http.request<Connector>('GET', url, { signal }));
  },
  async remove(gone, work) {
    const { google, signal, say } = work;
    say('deleting');
    const begin = () => google.http.request<Operation>('DELETE', `${parentOf(google)}/${gone.name}`, { signal });
    await ifThere(() => carriedOut(BASE, begin, waiting(work, gone, 'deleting'), say));
  },
};
