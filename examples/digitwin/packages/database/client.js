import { randomUUID } from 'node:crypto';
import { models } from './generated/client.js';

/** What a client of Prisma does for this example, in memory: rows of the models of the schema, gone with the process. */
export function openDatabase() {
  const tables = Object.fromEntries(models.map(({ name, fields }) => [name.toLowerCase(), tableOf(fields)]));
  return {
    ...tables,
    describe: () => ({ models: models.map(({ name }) => name), host: process.env.DATABASE_HOST ?? null }),
  };
}

function tableOf(fields) {
  const rows = new Map();
  return {
    create({ data }) {
      const given = Object.entries(data).filter(([field]) => fields.includes(field));
      const row = { id: randomUUID(), createdAt: new Date().toISOString(), ...Object.fromEntries(given) };
      rows.set(row.id, row);
      return row;
    },
    findMany({ where }) {
      return [...rows.values()].filter((row) => Object.entries(where).every(([field, value]) => row[field] === value));
    },
  };
}
