import type { Kind } from '../../domain/cloud/resource.ts';
import type { Act } from './tasks.ts';

/** Seconds; of ten, all but one lie between. */
export interface Usual {
  fromS: number;
  toS: number;
}

const QUICK: Usual = { fromS: 1, toS: 10 };

/** What the provider needs time for; everything else is an entry in a database of theirs. */
const SLOW: Partial<Record<Kind, Partial<Record<Act, Usual>>>> = {
  api: { create: { fromS: 5, toS: 60 }, remove: { fromS: 5, toS: 30 } },
  connector: { create: { fromS: 90, toS: 240 }, update: { fromS: 60, toS: 180 }, remove: { fromS: 60, toS: 180 } },
  repository: { create: { fromS: 5, toS: 30 }, remove: { fromS: 5, toS: 60 } },
  bucket: { remove: { fromS: 1, toS: 120 } },
  'sql-instance': {
    create: { fromS: 300, toS: 600 },
    update: { fromS: 60, toS: 300 },
    remove: { fromS: 60, toS: 180 },
    start: { fromS: 60, toS: 240 },
    stop: { fromS: 30, toS: 120 },
  },
  'sql-database': { create: { fromS: 5, toS: 30 } },
  'sql-user': { create: { fromS: 5, toS: 30 } },
  service: {
    create: { fromS: 180, toS: 300 },
    update: { fromS: 60, toS: 180 },
    remove: { fromS: 10, toS: 60 },
    start: { fromS: 10, toS: 60 },
    stop: { fromS: 10, toS: 60 },
  },
  cluster: { remove: { fromS: 180, toS: 600 } },
  role: { create: { fromS: 2, toS: 30 }, remove: { fromS: 2, toS: 30 } },
};

/** How long such a change usually takes on the real thing. */
export function usualTime(kind: Kind, act: Act): Usual {
  const known = SLOW[kind];
  if (act !== 'replace') return known?.[act] ?? QUICK;
  const [remove, create] = [known?.remove ?? QUICK, known?.create ?? QUICK];
  return { fromS: remove.fromS + create.fromS, toS: remove.toS + create.toS };
}
