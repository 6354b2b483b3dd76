/**
 * Compiles src to dist for the npm package, since Node strips no types from files under node_modules, and builds the
 * dashboard into dist/web.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { buildWeb } from './build-web.ts';

const root = dirname(import.meta.dirname);
const src = join(root, 'src');
const dist = join(root, 'dist');

// The dashboard looks itself whether it is of these sources.
for (const old of globSync('*', { cwd: dist }).filter((name) => name !== 'web'))
  rmSync(join(dist, old), { recursive: true });
execFileSync(join(root, 'node_modules/.bin/tsc'), ['--project', join(root, 'tsconfig.build.json')], {
  stdio: 'inherit',
});

// Migrations, schemas, helper scripts: whatever the sources read at run time lies at the same place beside them.
const assets = globSync('**/*', { cwd: src, withFileTypes: true }).filter(
  (entry) => entry.isFile() && !entry.name.endsWith('.ts'),
);
for (const asset of assets) {
  const from = join(asset.parentPath, asset.name);
  const to = join(dist, from.slice(src.length));
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

// The compiler rewrites `./x.ts` in imports but not in other strings, where it would name a file that is not there.
const compiled = globSync('**/*.js', { cwd: dist, exclude: ['web/**'] });
const dangling = compiled.flatMap((file) =>
  [...readFileSync(join(dist, file), 'utf8').matchAll(/new URL\((['"`])[^'"`]*\.ts\1/g)].map(
    ([found]) => `  ${file}: ${found}`,
  ),
);
if (dangling.length > 0) {
  console.error(
    `these files are started by a path that ends in .ts, which the package does not have:\n${dangling.join('\n')}`,
  );
  process.exitCode = 1;
}

await buildWeb();
