import { googleCloud } from '../../src/drivers/cloud/google/google-cloud.ts';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { findCredentials } from '../../src/platform/google/credentials.ts';
import { openGoogle } from '../../src/platform/google/http.ts';
import type { CloudDatabase } from '../../src/domain/cloud/config.ts';
import { SCOPE } from '../support/cloud/samples.ts';
import { cloudSuite } from './cloud-suite.ts';

const TOKEN = 'test-token';

const database = {
  instance: 'chat-staging-main',
  name: 'app',
  user: 'app',
  passwordSecret: 'database-password',
  urlSecret: 'database-url',
  extensions: [] as string[],
} as CloudDatabase;

cloudSuite('Google, emulated', async () => {
  const emulator = await startEmulator({ token: TOKEN, speed: 1e6 });
  const endpoint = new URL(emulator.url);
  const env = { EVENKEEL_CLOUD_ENDPOINT: emulator.url, EVENKEEL_CLOUD_TOKEN: TOKEN };
  const http = openGoogle({ credentials: await findCredentials({ env }), endpoint });
  const scope = { ...SCOPE, cloudProject: 'chat-cloud-1', region: 'europe-west1' };
  return {
    cloud: googleCloud({ scope, http, database }),
    async close() {
      http.close();
      await emulator.close();
    },
  };
});
