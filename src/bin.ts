import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
console.log(process.argv.includes('--help') ? 'Usage: evenkeel [options] [command]' : version);
