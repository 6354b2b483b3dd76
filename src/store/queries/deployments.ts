import type { Kysely } from 'kysely';
import type { Deployment } from '../../domain/release/release.ts';
import type { ServingChange } from '../../ports/store.ts';
import type { Database } from '../rows/database.ts';
import { deploymentRow, readDeployment } from '../rows/release.ts';
import { portTaken, takenPorts } from './ports.ts';

export async function listDeployments(db: Kysely<Database>, project: string, environment: string) {
  const rows = await db
    .selectFrom('deployments')
    .selectAll()
    .where('project', '=', project)
    .where('environment', '=', environment)
    .orderBy('service')
    .execute();
  return rows.map(readDeployment);
}

/** Creates what is missing and fills ports in that were not given before; releases and given ports stay. */
export async function ensureDeployments(db: Kysely<Database>, deployments: Deployment[]): Promise<void> {
  const known = (await db.selectFrom('deployments').selectAll().execute()).map(readDeployment);
  const taken = new Set(await takenPorts(db));
  for (const deployment of deployments) {
    const before = known.find((each) => keyOf(each) === keyOf(deployment));
    for (const kind of ['internalPort', 'previewPort'] as const) {
      const port = (before?.[kind] ?? null) === null ? deployment[kind] : null;
      if (port === null) continue;
      if (taken.has(port)) throw portTaken(port);
      taken.add(port);
    }
    await db
      .insertInto('deployments')
      .values(deploymentRow(deployment))
      .onConflict((conflict) =>
        conflict.columns(['project', 'environment', 'service']).doUpdateSet((eb) => ({
          internal_port: eb.fn.coalesce('deployments.internal_port', 'excluded.internal_port'),
          preview_port: eb.fn.coalesce('deployments.preview_port', 'excluded.preview_port'),
        })),
      )
      .execute();
  }
}

const keyOf = ({ project, environment, service }: Deployment): string =>
  JSON.stringify([project, environment, service]);

/** Records what a service serves from now on, ports untouched. */
export async function setServing(
  db: Kysely<Database>,
  where: { project: string; environment: string },
  changed: ServingChange[],
): Promise<void> {
  for (const { service, ...change } of changed) {
    const none = { current: null, former: null, contracted: null, internalPort: null, previewPort: null };
    const columns = {
      ...(change.current === undefined ? {} : { current_release: change.current }),
      ...(change.former === undefined ? {} : { former_release: change.former }),
      ...(change.contracted === undefined ? {} : { contracted_release: change.contracted }),
    };
    if (Object.keys(columns).length === 0) continue;
    await db
      .insertInto('deployments')
      .values({ ...deploymentRow({ ...where, ...none, service }), ...columns })
      .onConflict((conflict) => conflict.columns(['project', 'environment', 'service']).doUpdateSet(columns))
      .execute();
  }
}
