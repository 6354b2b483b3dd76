import { join } from 'node:path';
import { openMemoryStore, openSqliteStore } from '../../src/store/sqlite/open.ts';
import { memoryStore } from '../support/simulation/memory-store.ts';
import { tempDir } from '../support/temp.ts';
import { storeSuite } from './store-suite.ts';

storeSuite('SQLite in a file', () => openSqliteStore({ file: join(tempDir('store'), 'state.db') }));
storeSuite('SQLite in memory', openMemoryStore);
storeSuite('a fake in memory', async () => memoryStore());
