/** The emulator that `--emulate` starts: on its own, so that the next command meets the same cloud, and what runs in it goes on. */
import { rmSync } from 'node:fs';
import { FolderTaken, startEmulator } from '../../emulator/emulator.ts';
import { writeFileAtomic } from '../../platform/atomic-file.ts';
import { randomToken } from '../../platform/ids.ts';
import { evenkeelPaths } from '../../platform/paths.ts';
import { processIdentity } from '../../platform/process/identity.ts';
import { emulatorPace, emulatorPlace, emulatorPostgres } from './emulator-place.ts';

/** Somebody else was faster, and theirs is as good. */
const OTHER_RUNS = 0;

const place = emulatorPlace(evenkeelPaths(process.env));
const token = randomToken();
try {
  const emulator = await startEmulator({
    token,
    folder: place.state,
    postgres: emulatorPostgres(process.env),
    ...emulatorPace(process.env),
  });
  const end = (): void => {
    rmSync(place.info, { force: true });
    void emulator.close().finally(() => process.exit(0));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, end);
  const info = { url: emulator.url, token, process: processIdentity(process.pid) };
  await writeFileAtomic(place.info, JSON.stringify(info), { mode: 0o600 });
} catch (error) {
  if (error instanceof FolderTaken) process.exit(OTHER_RUNS);
  throw error;
}
