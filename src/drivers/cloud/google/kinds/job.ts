import { called } from '../../../../platform/google/http.ts';
import {
  allPages,
  carriedOut,
  comesOtherwise,
  ifThere,
  type KindDriver,
  labelsOf,
  lastPart,
  timeOf,
  waiting,
} from '../kind-driver.ts';
import { RUN } from './service.ts';

export const job: KindDriver<'job'> = {
  async observe({ google, signal }) {
    const { cloudProject, region } = google.scope;
    const client = await google.clients.run();
    const parent = `projects/${cloudProject}/locations/${region}`;
    const all = await allPages(
      (pageToken) =>
        called(
          client.projects.locations.jobs.list(
            { parent, pageSize: 100, ...(pageToken === undefined ? {} : { pageToken }) },
            { signal },
          ),
        ),
      (page) => page.jobs,
    );
    return all.map((one) => ({
      kind: 'job',
      name: lastPart(one.name),
      location: region,
      attributes: { image: one.template?.template?.containers?.[0]?.image ?? null },
      labels: labelsOf(one.labels),
      state: one.reconciling === true ? 'changing' : 'ready',
      createdAt: timeOf(one.createTime),
    }));
  },
  create: () => comesOtherwise('job'),
  update: () => comesOtherwise('job'),
  async remove(gone, work) {
    const { google, signal, say } = work;
    const client = await google.clients.run();
    say('deleting');
    const name = `projects/${google.scope.cloudProject}/locations/${gone.location ?? google.scope.region}/jobs/${gone.name}`;
    const begin = () => called(client.projects.locations.jobs.delete({ name }, { signal }));
    await ifThere(() => carriedOut(RUN, begin, waiting(work, gone, 'deleting'), say));
  },
};
