import type { Kysely } from 'kysely';
import type { Address } from '../../domain/release/release.ts';
import type { Database } from '../rows/database.ts';
import { portTaken, takenPorts } from './ports.ts';

export async function listAddresses(db: Kysely<Database>, project: string, environment: string): Promise<Address[]> {
  const rows = await db
    .selectFrom('addresses')
    .selectAll()
    .where('project', '=', project)
    .where('environment', '=', environment)
    .orderBy('release')
    .orderBy('service')
    .execute();
  return rows.map((row) => ({ ...row }));
}

/** Gives those that have none an address; one that was given stays. */
export async function giveAddresses(db: Kysely<Database>, addresses: Address[]): Promise<void> {
  const taken = new Set(await takenPorts(db));
  for (const address of addresses) {
    const given = await db
      .insertInto('addresses')
      .values(address)
      .onConflict((conflict) => conflict.columns(['project', 'environment', 'release', 'service']).doNothing())
      .returning('port')
      .execute();
    if (given.length > 0 && taken.has(address.port)) throw portTaken(address.port);
    taken.add(address.port);
  }
}

/** Takes back the addresses of releases that run no more. */
export async function takeAddresses(
  db: Kysely<Database>,
  where: { project: string; environment: string },
  releases: string[],
): Promise<void> {
  if (releases.length === 0) return;
  await db
    .deleteFrom('addresses')
    .where('project', '=', where.project)
    .where('environment', '=', where.environment)
    .where('release', 'in', releases)
    .execute();
}
