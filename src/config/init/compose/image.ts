import { toName } from '../draft.ts';
import { resolved } from './interpolate.ts';
import { quoted, scalarText } from './model.ts';
import type { ComposeContext, ComposeService } from './model.ts';

const ENGINES: Record<string, string> = {
  postgres: 'postgres',
  postgis: 'postgres',
  pgvector: 'postgres',
  timescaledb: 'postgres',
  mysql: 'mysql',
  mariadb: 'mariadb',
  percona: 'mysql',
  redis: 'redis',
  valkey: 'redis',
  mongo: 'mongodb',
};

/** What only names an image: a database that runs elsewhere, or a program that is not here. All that it says is named. */
export function noteImage({ name, raw }: ComposeService, { note, known, findings }: ComposeContext): void {
  const written = scalarText(raw['image']);
  if (written === null) {
    note(`\`${name}\` has neither \`build\` nor \`image\`, so it is left out`);
    return;
  }
  const image = resolved(written, known);
  const said = Object.keys(raw).filter((key) => key !== 'image' && !key.startsWith('x-'));
  const besides = said.length === 0 ? '' : ` (with what the file says about it: ${quoted(said)})`;
  const [repository = '', tag = ''] = (image.split('@')[0]?.split('/').at(-1) ?? '').split(':');
  const engine = Object.entries(ENGINES).find(([start]) => repository.startsWith(start))?.[1];
  if (engine === undefined) {
    note(`\`${name}\` runs the image ${image}; evenkeel runs programs, so start it yourself${besides}`);
    return;
  }
  findings.databases.push({ name: toName(name, 'main'), engine, version: /^\d+(\.\d+)*/.exec(tag)?.[0] ?? null });
  note(`evenkeel does not run databases yet; start \`${name}\` (${image}) yourself${besides} and give its url`);
}
