import { z } from 'zod';
import type { Deployment, Release, SourceInfo } from '../../domain/release/release.ts';
import type { DeploymentRow, ReleaseRow } from './database.ts';
import { formatJson, parseJson, type Same } from './parse.ts';
import { serviceConfigSchema } from './project.ts';

const sourceSchema = z.strictObject({
  commit: z.string().nullable(),
  dirty: z.boolean(),
  label: z.string().nullable(),
});
true satisfies Same<z.infer<typeof sourceSchema>, SourceInfo>;

export function releaseRow(release: Release, ordinal: number): ReleaseRow {
  const name = { table: 'releases', id: release.id };
  return {
    project: release.project,
    id: release.id,
    environment: release.environment,
    service: release.service,
    number: release.number,
    ordinal,
    source: formatJson(sourceSchema, release.source, name),
    artifact: release.artifact,
    config_digest: release.configDigest,
    config: formatJson(serviceConfigSchema, release.config, name),
    created_by: release.createdBy,
    created_at: release.createdAt,
  };
}

export function readRelease(row: ReleaseRow): Release {
  const name = { table: 'releases', id: row.id };
  return {
    id: row.id,
    project: row.project,
    environment: row.environment,
    service: row.service,
    number: row.number,
    source: parseJson(sourceSchema, row.source, name),
    artifact: row.artifact,
    configDigest: row.config_digest,
    config: parseJson(serviceConfigSchema, row.config, name),
    createdBy: row.created_by,
    createdAt: row.created_at,
  };
}

export function deploymentRow(deployment: Deployment): DeploymentRow {
  return {
    project: deployment.project,
    environment: deployment.environment,
    service: deployment.service,
    current_release: deployment.current,
    former_release: deployment.former,
    contracted_release: deployment.contracted,
    internal_port: deployment.internalPort,
    preview_port: deployment.previewPort,
  };
}

export function readDeployment(row: DeploymentRow): Deployment {
  return {
    project: row.project,
    environment: row.environment,
    service: row.service,
    current: row.current_release,
    former: row.former_release,
    contracted: row.contracted_release,
    internalPort: row.internal_port,
    previewPort: row.preview_port,
  };
}
