import { createHash } from 'node:crypto';
import { createApi } from '../api/server.ts';
import type { ApiDeps } from '../api/api-deps.ts';
import { acmeCertificates } from '../drivers/certificates/acme/acme-certificates.ts';
import { processBuilder } from '../drivers/build/process-builder.ts';
import { sqlReader } from '../drivers/migrations/sql-reader.ts';
import { processJobs } from '../drivers/runtime/process/jobs.ts';
import { logReader } from '../drivers/runtime/process/logs/log-reader.ts';
import { processRuntime } from '../drivers/runtime/process/runtime.ts';
import { cronTimetable } from '../drivers/schedule/cron-timetable.ts';
import { fileSecrets } from '../drivers/secrets/file-secrets.ts';
import { secretsRedactor } from '../drivers/secrets/redact.ts';
import { edgeChallenges } from '../drivers/traffic/edge/edge-challenges.ts';
import { edgeTraffic } from '../drivers/traffic/edge/edge-traffic.ts';
import type { EngineDeps } from '../engine/deps.ts';
import { createEngine } from '../engine/engine.ts';
import { collect, COLLECT_EVERY_MS, every, LOGS_EVERY_MS, maintainLogs } from '../engine/housekeeping.ts';
import { forgetFormerSecrets } from '../engine/secrets/uses.ts';
import { TELEMETRY_EVERY_MS, TelemetryRecorder } from '../engine/telemetry.ts';
import { systemClock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { evenkeelVersion } from '../platform/keeper-info.ts';
import type { Logger } from '../platform/log.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';
import { readOrCreateToken } from '../platform/tokens.ts';
import { projectSchema } from '../store/rows/project.ts';
import { openTelemetry } from '../store/telemetry/open.ts';
import { BOUND_LOGS_EVERY_MS, boundLogs } from './bound-logs.ts';
import { checkDatabases } from './doctor/check-databases.ts';
import { collectLogs } from './old-logs.ts';
import { openStore } from './open-store.ts';
import { placesIn } from './places.ts';
import { redactedLogs } from './redacted-logs.ts';

/**
 * How long a stop waits for what is under way, ms. Whoever follows this controller waits for its end, and requests that are
 * answered later, such as one for a new edge whose keeper died, are asked again.
 */
const UNDER_WAY_MS = 200;

/** Bytes of the disk that no build may take: what runs goes on writing its state, logs and data. */
const DISK_RESERVE = 256 * 1024 ** 2;

export interface ControllerOptions {
  /** For EVENKEEL_DATABASE_URL. */
  env: NodeJS.ProcessEnv;
  paths: EvenkeelPaths;
  log: Logger;
  /** A raw handle of the API's listening socket. */
  apiHandle: unknown;
  /** Another controller acts now: leave at once. */
  onFenced(): void;
  stopServer: ApiDeps['stopServer'];
  restartEdge: ApiDeps['restartEdge'];
}

export interface Controller {
  /** Ends loops and API after what is under way; instances stay. */
  stop(): Promise<void>;
}

/** Wires the controller together and sets it going. Whoever calls it holds the controller's lock. */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { paths, log } = options;
  const [store, telemetry, token, probeToken] = await Promise.all([
    openStore(options.env, paths),
    openTelemetry({ file: paths.telemetry, warn: (message) => log.warn(message) }),
    readOrCreateToken(paths.token),
    readOrCreateToken(paths.probeToken),
  ]);
  const traffic = edgeTraffic({ socketPath: paths.edgeSocket, probeToken });
  const secretsAt = { file: paths.secretsFile, keyFile: paths.secretsKey };
  const redact = secretsRedactor(secretsAt);
  const jobs = processJobs({ home: paths.home, redact });
  const logs = logReader();
  const engine = createEngine({
    store,
    traffic,
    jobs,
    runtime: processRuntime({ home: paths.home, redact }),
    builder: processBuilder({ home: paths.home, jobs, redact, reserve: DISK_RESERVE }),
    migrations: sqlReader(),
    secrets: fileSecrets(secretsAt),
    certificates: acmeCertificates({
      folder: paths.certificates,
      answer: edgeChallenges({ socketPath: paths.edgeSocket }),
    }),
    clock: systemClock,
    timetable: cronTimetable(),
    log,
    places: placesIn(paths),
    newId: () => newId('r'),
    digest: (text) => createHash('sha256').update(text).digest('hex'),
    fence: await store.nextFence(),
    onFenced: () => options.onFenced(),
  });
  const api = createApi({
    engine,
    telemetry,
    logs: redactedLogs(logs, redact),
    parseProject: (value) => projectSchema.parse(value),
    token,
    server: { version: evenkeelVersion(), pid: process.pid, startedAt: Date.now(), home: paths.home },
    checkDatabases: () => checkDatabases(paths),
    stopServer: () => options.stopServer(),
    restartEdge: () => options.restartEdge(),
  });
  await api.ready();
  api.server.listen(options.apiHandle as object);
  await engine.start();

  const upkeep = new AbortController();
  const recorder = new TelemetryRecorder(engine.deps, telemetry);
  const running = [
    every(engine.deps, TELEMETRY_EVERY_MS, 'telemetry', () => recorder.sample(), upkeep.signal),
    every(engine.deps, LOGS_EVERY_MS, 'logs', () => maintainLogs(engine.deps, logs), upkeep.signal),
    every(engine.deps, BOUND_LOGS_EVERY_MS, 'logs of jobs', () => boundLogs(paths.logs), upkeep.signal),
    every(engine.deps, COLLECT_EVERY_MS, 'artifacts', () => collect(engine.deps, telemetry), upkeep.signal),
    every(engine.deps, COLLECT_EVERY_MS, 'former secrets', () => forgetSecrets(engine.deps), upkeep.signal),
    every(engine.deps, COLLECT_EVERY_MS, 'old logs', () => boundAllLogs(engine.deps, paths), upkeep.signal),
  ];
  return {
    async stop() {
      upkeep.abort();
      const ended = Promise.all([engine.stop(), api.close(), ...running]);
      const cut = setTimeout(() => {
        traffic.close();
        api.server.closeAllConnections();
      }, UNDER_WAY_MS);
      await ended;
      clearTimeout(cut);
      traffic.close();
      await Promise.all([store.close(), telemetry.close()]);
    },
  };
}

async function forgetSecrets(deps: EngineDeps): Promise<void> {
  const forgotten = await forgetFormerSecrets(deps);
  if (forgotten > 0) deps.log.info({ forgotten }, 'former values of secrets deleted: nothing that runs needs them');
}

async function boundAllLogs(deps: EngineDeps, { logs }: EvenkeelPaths): Promise<void> {
  const freed = await collectLogs(deps, logs);
  if (freed > 0) deps.log.warn({ freed }, 'logs took too much of the disk: the oldest were deleted');
}
