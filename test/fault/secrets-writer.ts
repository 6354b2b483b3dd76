/** Sets secrets one after the other, and says each once it is stored: NAME VALUE. Ended by kill -9. */
import { fileSecrets } from '../../src/drivers/secrets/file-secrets.ts';

const [file = '', keyFile = '', prefix = ''] = process.argv.slice(2);
const secrets = fileSecrets({ file, keyFile });
for (let count = 0; ; count++) {
  const [name, value] = [`${prefix}_${count % 7}`, `value-${prefix}-${count}`];
  await secrets.set({ project: 'chat', environment: 'production' }, name, value);
  process.stdout.write(`${name} ${value}\n`);
}
