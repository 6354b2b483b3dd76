import type { FastifyInstance } from 'fastify';

/** What the API was asked since the controller was started. */
export interface Usage {
  requests(): { operation: string; status: number; count: number }[];
  /** Event streams that are open now. */
  streams(): number;
  /** Told that one was opened; the result is called when it has ended. */
  opened(): () => void;
}

/** Counts requests by their route, which are few, and never by what somebody made up. */
export function countUsage(api: FastifyInstance): Usage {
  const counts = new Map<string, { operation: string; status: number; count: number }>();
  let streams = 0;
  api.addHook('onResponse', async (request, reply) => {
    const operation = request.routeOptions.config.operation ?? 'other';
    const key = `${operation} ${reply.statusCode}`;
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { operation, status: reply.statusCode, count: 1 });
    else known.count++;
  });
  return {
    requests: () => [...counts.values()],
    streams: () => streams,
    opened() {
      streams++;
      return () => void streams--;
    },
  };
}
