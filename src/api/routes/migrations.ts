import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { examineMigrations } from '../../engine/migrations.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { MigrationsReply } from '../contract/migrations.ts';

const bodySchema = z.object({ project: z.unknown() });

export function migrationRoutes(api: FastifyInstance, { engine, parseProject }: ApiDeps): void {
  api.post('/v1/migrations', async (request): Promise<MigrationsReply> => {
    const project = parseProject(bodySchema.parse(request.body).project);
    const serving = await engine.deps.store.deployments(project.name, project.environment.name);
    const { reports, verdict } = await examineMigrations(engine.deps, project, project.services, serving);
    return { ...verdict, reports };
  });
}
