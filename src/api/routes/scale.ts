import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { scale, scaleOf } from '../../engine/operations/scale.ts';
import type { ApiDeps } from '../api-deps.ts';
import { scaleRequestSchema, type ScaleView } from '../contract/scale.ts';

const querySchema = z.object({ project: z.string(), environment: z.string(), service: z.string() });

export function scaleRoutes(api: FastifyInstance, { engine }: ApiDeps): void {
  api.get('/v1/scale', async (request): Promise<ScaleView> => scaleOf(engine, querySchema.parse(request.query)));
  api.post('/v1/scale', async (request): Promise<ScaleView> => scale(engine, scaleRequestSchema.parse(request.body)));
}
