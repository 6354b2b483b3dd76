import { suggest } from '../../lib/suggest.ts';
import { withNeeds } from './order.ts';
import { addressOf } from './resource.ts';
import type { Desired, Kind } from './resource.ts';

/** What people say after `--only`: kinds that belong together. */
export const FAMILIES: Readonly<Record<string, readonly Kind[]>> = {
  apis: ['api'],
  accounts: ['account', 'role'],
  repository: ['repository'],
  network: ['connector'],
  buckets: ['bucket'],
  database: ['sql-instance', 'sql-database', 'sql-user'],
  secrets: ['secret'],
  services: ['service'],
  monitoring: ['uptime-check', 'alert-policy', 'alert-channel'],
  logs: ['audit-logs', 'log-retention'],
  budget: ['budget'],
};

export type Chosen =
  | { ok: true; resources: Desired[] }
  | { ok: false; word: string; known: string[]; meant: string | null };

/**
 * Those that the words name (a family, a kind, or an address such as `bucket/chat-media`), and what they need. No word:
 * all. A word that names nothing is refused: a typing error must not look like a set-up that had nothing to do.
 */
export function only(resources: readonly Desired[], words: readonly string[]): Chosen {
  if (words.length === 0) return { ok: true, resources: [...resources] };
  const tests: ((each: Desired) => boolean)[] = [];
  for (const word of words) {
    const kinds = kindsOf(word);
    const isAddress = resources.some((each) => addressOf(each) === word);
    if (kinds === null && !isAddress) {
      const known = Object.keys(FAMILIES);
      return { ok: false, word, known, meant: suggest(word, known) };
    }
    tests.push((each) => (kinds === null ? addressOf(each) === word : kinds.includes(each.kind)));
  }
  return { ok: true, resources: withNeeds(resources, (each) => tests.some((test) => test(each))) };
}

/** Of a family or a kind, in the singular or the plural; null when there is none. */
export function kindsOf(word: string): readonly Kind[] | null {
  const plain = word.toLowerCase();
  for (const [name, kinds] of Object.entries(FAMILIES)) {
    if ([name, `${name}s`, name.replace(/ies$/, 'y'), name.replace(/s$/, '')].includes(plain)) return kinds;
    const kind = kinds.find((each) => each === plain || `${each}s` === plain);
    if (kind !== undefined) return [kind];
  }
  return null;
}
