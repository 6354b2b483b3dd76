import { Button } from '@mantine/core';
import { routeOf } from '../../../src/api/contract/paths.ts';
import type { filterOf } from './search.ts';

/** Links of files: the browser saves them as they come, however many entries there are. */
export function Export({ filter }: { filter: ReturnType<typeof filterOf> }) {
  // What a file holds are entries, which carry their result only at the end of an act.
  const { result: _, ...rest } = filter;
  const href = (format: 'ndjson' | 'csv'): string => {
    const query = new URLSearchParams({ format });
    for (const [name, value] of Object.entries(rest)) if (value !== undefined) query.set(name, String(value));
    return `${routeOf('exportAudit').path}?${query.toString()}`;
  };
  return (
    <div className="row">
      <Button component="a" variant="default" size="xs" href={href('ndjson')} download>
        Export NDJSON
      </Button>
      <Button component="a" variant="default" size="xs" href={href('csv')} download>
        Export CSV
      </Button>
    </div>
  );
}
