import type { DatabaseSync } from 'node:sqlite';

/**
 * Deletes old rows of a table whose primary key begins with (key, at). It goes from key to key along that order, so
 * that no index over the time alone has to be kept, which every sample would have to be written to.
 */
export function expirer(database: DatabaseSync, table: string, columns: string) {
  const nextKey = database.prepare(`select key from ${table} where key > ? order by key limit 1`);
  const remove = database.prepare(
    `delete from ${table} where (${columns}) in (select ${columns} from ${table} where key = ? and at < ? limit ?)`,
  );
  return (before: number, limit: number): number => {
    let gone = 0;
    for (let key = nextKey.get('')?.['key']; typeof key === 'string'; key = nextKey.get(key)?.['key']) {
      gone += Number(remove.run(key, before, limit - gone).changes);
      if (gone >= limit) break;
    }
    return gone;
  };
}
