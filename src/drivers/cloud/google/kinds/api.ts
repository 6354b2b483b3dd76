import { called } from '../../../../platform/google/http.ts';
import type { Google } from '../google.ts';
import { allPages, begun, carriedOut, type KindDriver, lastPart, type Seen, waiting } from '../kind-driver.ts';

const BASE = 'https://serviceusage.googleapis.com/v1';

const seen = (name: string): Seen<'api'> => ({
  kind: 'api',
  name,
  location: null,
  attributes: {},
  labels: {},
  state: 'ready',
  createdAt: null,
});

const nameOf = (google: Google, api: string): string => `projects/${google.scope.cloudProject}/services/${api}`;

export const api: KindDriver<'api'> = {
  async observe({ google, signal }) {
    const client = await google.clients.serviceusage();
    const parent = `projects/${google.scope.cloudProject}`;
    const on = await allPages(
      (pageToken) =>
        called(
          client.services.list(
            { parent, filter: 'state:ENABLED', pageSize: 200, ...(pageToken === undefined ? {} : { pageToken }) },
            { signal },
          ),
        ),
      (page) => page.services,
    );
    return on.map(({ name }) => seen(lastPart(name)));
  },
  async create(wanted, work) {
    const { google, signal, say } = work;
    const client = await google.clients.serviceusage();
    say('enabling');
    const name = nameOf(google, wanted.name);
    const begin = () => called(client.services.enable({ name, requestBody: {} }, { signal }));
    await begun(BASE, begin, waiting(work, wanted, 'enabling'), say);
    google.enabled.set(wanted.name, Date.now());
    return seen(wanted.name);
  },
  update: (wanted, _seen, work) => api.create(wanted, work),
  async remove(gone, work) {
    const { google, signal, say } = work;
    const client = await google.clients.serviceusage();
    say('disabling');
    const name = nameOf(google, gone.name);
    const begin = () =>
      called(client.services.disable({ name, requestBody: { disableDependentServices: false } }, { signal }));
    await carriedOut(BASE, begin, waiting(work, gone, 'disabling'), say);
  },
};
