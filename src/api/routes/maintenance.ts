import type { FastifyInstance } from 'fastify';
import { setMaintenance } from '../../engine/operations/maintenance.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type MaintenanceReply, maintenanceRequestSchema } from '../contract/entry.ts';

export function maintenanceRoutes(api: FastifyInstance, deps: ApiDeps): void {
  api.post('/v1/maintenance', async (request): Promise<MaintenanceReply> =>
    setMaintenance(deps.engine, maintenanceRequestSchema.parse(request.body)),
  );
}
