import type { FastifyInstance } from 'fastify';
import { type Metric, prometheusText } from '../../lib/prometheus.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Usage } from '../usage.ts';

/** What may be asked by whoever reaches the API, without saying who they are. It tells nothing about anybody's projects. */
export const OPEN = { config: { open: true } } as const;

/** Liveness, readiness, and the controller's own numbers. */
export function healthRoutes(api: FastifyInstance, deps: ApiDeps, usage: Usage): void {
  const { engine } = deps;
  api.get('/livez', OPEN, async (_request, reply) => reply.type('text/plain').send('ok\n'));

  /** Ready is who can act: it has its store, and no other controller has overtaken it. */
  api.get('/readyz', OPEN, async (_request, reply) => {
    const since = engine.reads.awaySince();
    if (since === null) return reply.type('text/plain').send('ok\n');
    return reply
      .status(503)
      .type('text/plain')
      .send(`the store has not answered since ${new Date(since).toISOString()}\n`);
  });

  api.get('/metrics', { config: { permission: 'server:read' } }, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4').send(prometheusText(await metricsOf(deps, usage))),
  );
}

async function metricsOf({ engine, server }: ApiDeps, usage: Usage): Promise<Metric[]> {
  const open = await engine.reads.rollouts({ unsettled: true });
  const phases = Map.groupBy(
    open.filter(({ end }) => end === null),
    ({ phase }) => phase,
  );
  const { rss, heapUsed } = process.memoryUsage();
  const gauge = (name: string, help: string, value: number): Metric => ({
    name: `evenkeel_${name}`,
    help,
    type: 'gauge',
    values: [{ value }],
  });
  return [
    {
      ...gauge('info', 'The version of the controller.', 1),
      values: [{ labels: { version: server.version }, value: 1 }],
    },
    gauge('start_time_seconds', 'When the controller was started, in seconds since 1970.', server.startedAt / 1000),
    gauge('memory_resident_bytes', 'Resident memory of the controller.', rss),
    gauge('heap_used_bytes', 'JavaScript heap in use.', heapUsed),
    gauge('store_away', '1 while the store does not answer.', engine.reads.awaySince() === null ? 0 : 1),
    gauge(
      'requests_unwritten',
      'Requests that were carried out and are still to be written.',
      engine.reads.unwritten(),
    ),
    gauge('streams_open', 'Event streams that somebody reads.', usage.streams()),
    {
      ...gauge('rollouts_active', 'Rollouts under way, by phase.', 0),
      values: [...phases].map(([phase, { length }]) => ({ labels: { phase }, value: length })),
    },
    {
      name: 'evenkeel_api_requests_total',
      help: 'Requests to the API, by operation and status.',
      type: 'counter',
      values: usage.requests().map(({ operation, status, count }) => ({
        labels: { operation, status: String(status) },
        value: count,
      })),
    },
  ];
}
