/**
 * Writes the generated parts of the documentation from the sources: `npx node scripts/docs.ts`.
 *
 * A generated part lies between `<!-- generated: NAME -->` and `<!-- /generated -->`; a test fails when one is stale.
 */
import { readFile, writeFile } from 'node:fs/promises';

import { commandReference } from './docs/command-reference.ts';
import { keyTables } from './docs/key-tables.ts';

const root = new URL('../', import.meta.url);

const PARTS: Readonly<Record<string, () => Promise<Map<string, string>> | Map<string, string>>> = {
  'docs/configuration.md': keyTables,
  'docs/cli.md': commandReference,
};

/** Each file with generated parts, as it is and as it should be. */
export async function documents(): Promise<{ file: string; is: string; should: string }[]> {
  return Promise.all(
    Object.entries(PARTS).map(async ([file, parts]) => {
      const is = await readFile(new URL(file, root), 'utf8');
      return { file, is, should: fillIn(is, await parts(), file) };
    }),
  );
}

function fillIn(text: string, parts: Map<string, string>, file: string): string {
  const unused = new Set(parts.keys());
  const filled = text.replaceAll(
    /(<!-- generated: (.+?) -->\n)[^]*?(<!-- \/generated -->)/g,
    (_, begin: string, name: string, end: string) => {
      const part = parts.get(name);
      if (part === undefined) throw new Error(`${file}: nothing is generated under the name \`${name}\``);
      unused.delete(name);
      return `${begin}\n${part}\n\n${end}`;
    },
  );
  if (unused.size > 0) throw new Error(`${file} has no place for: ${[...unused].join(', ')}`);
  return filled;
}

if (import.meta.main) {
  for (const { file, is, should } of await documents()) {
    if (is !== should) await writeFile(new URL(file, root), should);
    console.log(`${is === should ? 'fresh  ' : 'written'} ${file}`);
  }
}
