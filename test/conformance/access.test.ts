import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openMemoryStore, openSqliteStore } from '../../src/store/sqlite/open.ts';
import { tempDir } from '../support/temp.ts';
import { accessSuite, upgradeSuite } from './access-suite.ts';

accessSuite('SQLite in a file', async () => {
  const file = join(tempDir('access'), 'state.db');
  const open = () => openSqliteStore({ file, patienceMs: 60_000 });
  return [await open(), await open()];
});
accessSuite('SQLite in memory', async () => {
  const store = await openMemoryStore();
  return [store, store];
});

upgradeSuite('SQLite', async () => {
  const file = join(tempDir('access'), 'state.db');
  return {
    open: (options) => openSqliteStore({ file, patienceMs: 60_000, ...options }),
    async sql(text) {
      const raw = new DatabaseSync(file);
      raw.exec(text);
      raw.close();
    },
  };
});
