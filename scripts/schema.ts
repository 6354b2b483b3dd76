/** Writes the JSON Schema of `evenkeel.yaml`. Run it after a change in `src/config/schema/`: `node scripts/schema.ts`. */
import { writeFile } from 'node:fs/promises';

import { jsonSchemaText } from '../src/config/schema/json-schema.ts';

await writeFile(new URL('../schema/evenkeel.schema.json', import.meta.url), jsonSchemaText());
