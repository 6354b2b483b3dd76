import { type Operation, settled } from '../../../../platform/google/operations.ts';
import { comesOtherwise, ifThere, type KindDriver, labelsOf, type Seen, timeOf, waiting } from '../kind-driver.ts';

interface Cluster {
  name?: string;
  location?: string;
  currentNodeCount?: number;
  resourceLabels?: Record<string, string>;
  status?: string;
  statusMessage?: string;
  createTime?: string;
}

const BASE = 'https://container.googleapis.com/v1';

function stateOf(status: string | undefined): Seen<'cluster'>['state'] {
  if (status === 'PROVISIONING' || status === 'RECONCILING' || status === 'STOPPING') return 'changing';
  return status === 'ERROR' || status === 'DEGRADED' ? 'failed' : 'ready';
}

/** Never made by evenkeel; seen so that nothing that costs is overlooked before a clean-up. */
export const cluster: KindDriver<'cluster'> = {
  async observe({ google, signal }) {
    const url = `${BASE}/projects/${google.scope.cloudProject}/locations/-/clusters`;
    const { clusters = [] } = await google.http.request<{ clusters?: Cluster[] }>('GET', url, { signal });
    return clusters.map((one) => ({
      kind: 'cluster',
      name: one.name ?? '',
      location: one.location ?? null,
      attributes: { nodes: one.currentNodeCount ?? 0 },
      labels: labelsOf(one.resourceLabels),
      state: stateOf(one.status),
      createdAt: timeOf(one.createTime),
      ...(one.statusMessage ? { problem: one.statusMessage } : {}),
    }));
  },
  create: () => comesOtherwise('cluster'),
  update: () => comesOtherwise('cluster'),
  async remove(gone, work) {
    const { google, signal, say } = work;
    const place = `${BASE}/projects/${google.scope.cloudProject}/locations/${gone.location ?? google.scope.region}`;
    say('deleting');
    await ifThere(async () => {
      const operation = await google.http.request<Operation>('DELETE', `${place}/clusters/${gone.name}`, { signal });
      const look = (until: AbortSignal) =>
        google.http.request<Operation>('GET', `${place}/operations/${operation.name ?? ''}`, { signal: until });
      say('waiting for the operation');
      await settled(operation, look, waiting(work, gone, 'deleting', 20));
    });
  },
};
