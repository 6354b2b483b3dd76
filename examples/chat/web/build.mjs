// Builds the page into dist/web. Assets carry a hash of their content in their names, so browsers may keep them for
// good, and a page of the former release finds its own assets while a new one rolls out.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const source = new URL('./', import.meta.url);
const target = new URL('../dist/web/', import.meta.url);

rmSync(target, { recursive: true, force: true });
mkdirSync(new URL('assets/', target), { recursive: true });

let page = readFileSync(new URL('index.html', source), 'utf8');
for (const name of ['style.css', 'app.js']) {
  const content = readFileSync(new URL(name, source));
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 10);
  const asset = `assets/${name.replace('.', `.${hash}.`)}`;
  writeFileSync(new URL(asset, target), content);
  page = page.replace(name, asset);
}
writeFileSync(new URL('index.html', target), page);
console.log('built dist/web');
