import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { EvenkeelError } from '../ports/errors.ts';

export interface Migration {
  number: number;
  name: string;
  sql: string;
  /** SHA-256 of the text, line ends aside. */
  checksum: string;
}

export interface AppliedMigration {
  number: number;
  checksum: string;
}

/** The files `NNNN-name.sql` of a folder, in order. */
export function readMigrations(folder: URL): Migration[] {
  const migrations = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .toSorted()
    .map((file) => {
      const [, digits, name] = /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(file) ?? [];
      if (digits === undefined || name === undefined) throw new Error(`${file} is not named NNNN-name.sql`);
      const sql = readFileSync(new URL(file, folder), 'utf8').replaceAll('\r\n', '\n');
      return { number: Number(digits), name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
  migrations.forEach(({ number, name }, index) => {
    if (number !== index + 1) throw new Error(`migration ${name} should have the number ${index + 1}`);
  });
  return migrations;
}

/**
 * The migrations that the database still lacks, in order.
 * Refuses one that a newer evenkeel has written, and one whose history is not the history of this code.
 */
export function missingMigrations(known: Migration[], applied: AppliedMigration[], where: string): Migration[] {
  const newest = applied.reduce((highest, { number }) => Math.max(highest, number), 0);
  if (newest > known.length) {
    throw new EvenkeelError({
      code: 'store-newer',
      what: 'The store was written by a newer evenkeel.',
      where,
      why: `It has ${newest} migrations, this evenkeel knows ${known.length}.`,
      next: 'Run the newer evenkeel, or restore the state from before it.',
    });
  }
  const checksums = new Map(applied.map(({ number, checksum }) => [number, checksum]));
  for (const { number, name, checksum } of known.slice(0, newest)) {
    if (checksums.get(number) === checksum) continue;
    throw new EvenkeelError({
      code: 'store-migration-changed',
      what: `The migration ${number} (${name}) is not the one that made this store.`,
      where,
      why: checksums.has(number)
        ? 'Its text was changed after it was applied.'
        : 'It was never applied, later ones were.',
      next: 'Install evenkeel again as it was released.',
    });
  }
  return known.slice(newest);
}
