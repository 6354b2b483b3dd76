import { resolve } from 'node:path';
import { FolderTaken, startEmulator } from '../../emulator/emulator.ts';
import { randomToken } from '../../platform/ids.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { emulatorPace, emulatorPostgres } from './emulator-place.ts';

export interface EmulatorRequest {
  /** 0: any free one. */
  port: number;
  /** Null: a new one. */
  token: string | null;
  /** Where it keeps what there is; null: in memory. */
  folder: string | null;
  /** Address of a Postgres server in which databases are really made, without a password; null: that of the environment. */
  postgres: string | null;
  signal: AbortSignal;
  onListening(place: { url: string; token: string }): void;
}

/** Stands in for Google Cloud until the signal fires. Throws `port-taken`, `emulator-runs`. */
export async function runEmulator(request: EmulatorRequest, env: NodeJS.ProcessEnv): Promise<void> {
  const { port, folder, signal, onListening } = request;
  const token = request.token ?? randomToken(20);
  const options = {
    port,
    token,
    folder: folder === null ? null : resolve(folder),
    postgres: request.postgres ?? emulatorPostgres(env),
    ...emulatorPace(env),
  };
  const emulator = await startEmulator(options).catch((error: unknown) => {
    throw explained(error, port);
  });
  onListening({ url: emulator.url, token });
  try {
    await new Promise<void>((done) => {
      if (signal.aborted) done();
      signal.addEventListener('abort', () => done(), { once: true });
    });
  } finally {
    await emulator.close();
  }
}

function explained(error: unknown, port: number): unknown {
  if (error instanceof FolderTaken)
    return new EvenkeelError({
      code: 'emulator-runs',
      what: error.message,
      next: 'end that one, or give another --state',
      cause: error,
    });
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
    return new EvenkeelError({
      code: 'port-taken',
      what: `port ${port} is taken`,
      next: 'give another --port; 0 takes any that is free',
      cause: error,
    });
  return error;
}
