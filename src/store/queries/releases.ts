import type { Kysely } from 'kysely';
import type { Release } from '../../domain/release/release.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { ReleaseQuery } from '../../ports/store.ts';
import type { Database } from '../rows/database.ts';
import { readRelease, releaseRow } from '../rows/release.ts';
import { nextNumber } from './counters.ts';

/** One number for each service. Sorted, so that two that reserve at once never wait for each other. */
export async function reserveReleaseNumbers(
  db: Kysely<Database>,
  project: string,
  services: string[],
): Promise<Record<string, number>> {
  const numbers: [string, number][] = [];
  for (const service of [...new Set(services)].toSorted()) {
    const { number } = await db
      .insertInto('release_numbers')
      .values({ project, service, number: 1 })
      .onConflict((conflict) =>
        conflict
          .columns(['project', 'service'])
          .doUpdateSet((eb) => ({ number: eb('release_numbers.number', '+', eb.ref('excluded.number')) })),
      )
      .returning('number')
      .executeTakeFirstOrThrow();
    numbers.push([service, number]);
  }
  return Object.fromEntries(numbers);
}

export async function addReleases(db: Kysely<Database>, releases: Release[]): Promise<void> {
  if (releases.length === 0) return;
  const last = await nextNumber(db, 'release', releases.length);
  const first = last - releases.length + 1;
  await db
    .insertInto('releases')
    .values(releases.map((release, index) => releaseRow(release, first + index)))
    .execute();
}

export async function setArtifact(db: Kysely<Database>, project: string, id: string, artifact: string): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('releases')
    .set({ artifact })
    .where('project', '=', project)
    .where('id', '=', id)
    .where((eb) => eb.or([eb('artifact', 'is', null), eb('artifact', '=', artifact)]))
    .executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n) return;
  const known = await findRelease(db, project, id);
  if (known === null) {
    throw new EvenkeelError({
      code: 'release-not-found',
      what: `The project ${project} has no release ${id}.`,
      next: `evenkeel releases`,
    });
  }
  throw new EvenkeelError({
    code: 'release-immutable',
    what: `The release ${id} has an artifact already, and a release never changes.`,
    why: `It has ${known.artifact}; ${artifact} was given.`,
    exit: 2,
  });
}

export async function findRelease(db: Kysely<Database>, project: string, id: string): Promise<Release | null> {
  const row = await db
    .selectFrom('releases')
    .selectAll()
    .where('project', '=', project)
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? null : readRelease(row);
}

export async function listReleases(db: Kysely<Database>, query: ReleaseQuery): Promise<Release[]> {
  const { project, environment, service, limit, before } = query;
  const rows = await db
    .selectFrom('releases')
    .selectAll()
    .where('project', '=', project)
    .$if(before !== undefined, (q) =>
      q.where('ordinal', '<', (eb) =>
        eb
          .selectFrom('releases')
          .select('ordinal')
          .where('project', '=', project)
          .where('id', '=', before ?? ''),
      ),
    )
    .$if(environment !== undefined, (q) => q.where('environment', '=', environment ?? ''))
    .$if(service !== undefined, (q) => q.where('service', '=', service ?? '').orderBy('number', 'desc'))
    .orderBy('ordinal', 'desc')
    .$if(limit !== undefined, (q) => q.limit(limit ?? 0))
    .execute();
  return rows.map(readRelease);
}
