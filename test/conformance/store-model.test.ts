import { openMemoryStore } from '../../src/store/sqlite/open.ts';
import { modelSuite } from './store-model-suite.ts';

modelSuite('SQLite', openMemoryStore, { numRuns: 150 });
