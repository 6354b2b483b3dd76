#!/usr/bin/env node
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Stands in for Prisma's command, so that this example builds without a registry: `generate` writes a client of the models,
 * `migrate deploy` says what Prisma would do. In your own project `prisma` comes from npm, and nothing else changes.
 */
const schema = readFileSync(new URL('../prisma/schema.prisma', import.meta.url), 'utf8');
const models = [...schema.matchAll(/^model (\w+) \{(.*?)^\}/gms)].map(([, name, body]) => ({
  name,
  fields: [...body.matchAll(/^\s+(\w+)\s+(\w+)/gm)].map(([, field]) => field),
}));

const command = process.argv.slice(2).join(' ');
if (command === 'generate') {
  const folder = new URL('../generated/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL('client.js', folder), `export const models = ${JSON.stringify(models)};\n`);
  console.log(`generated a client of ${models.length} model in ${fileURLToPath(folder)}`);
} else if (command === 'migrate deploy') {
  const where = process.env.DATABASE_HOST ?? 'no DATABASE_HOST';
  if (process.env.DATABASE_URL === undefined) {
    console.error('DATABASE_URL is not set');
    process.exit(1);
  }
  console.log(`would bring ${models.map(({ name }) => name).join(', ')} to the database at ${where}`);
} else {
  console.error('usage: prisma generate | prisma migrate deploy');
  process.exit(1);
}
