import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApi } from '../api/server.ts';
import type { ApiDeps } from '../api/api-deps.ts';
import { type Changes, openChanges } from '../api/changes/changes.ts';
import { acmeCertificates } from '../drivers/certificates/acme/acme-certificates.ts';
import { processBuilder } from '../drivers/build/process-builder.ts';
import { sqlReader } from '../drivers/migrations/sql-reader.ts';
import { processAccounts } from '../drivers/runtime/process/accounts.ts';
import { processJobs } from '../drivers/runtime/process/jobs.ts';
import { logReader } from '../drivers/runtime/process/logs/log-reader.ts';
import { processRuntime } from '../drivers/runtime/process/runtime.ts';
import { cronTimetable } from '../drivers/schedule/cron-timetable.ts';
import { fileSecrets } from '../drivers/secrets/file-secrets.ts';
import { secretsRedactor } from '../drivers/secrets/redact.ts';
import { edgeChallenges } from '../drivers/traffic/edge/edge-challenges.ts';
import { edgeTraffic } from '../drivers/traffic/edge/edge-traffic.ts';
import { type Auditor, createAuditor } from '../engine/audit/auditor.ts';
import { hurryWith } from '../engine/audit/hurry.ts';
import { awayStore } from '../engine/emergency/away-store.ts';
import type { EngineDeps } from '../engine/deps.ts';
import type { HoldsAccess } from '../ports/access-store.ts';
import { accessDeps, forgetSessions } from './access-deps.ts';
import { addressOf } from './web-address.ts';
import { createEngine } from '../engine/engine.ts';
import { collect, COLLECT_EVERY_MS, every, LOGS_EVERY_MS, maintainLogs } from '../engine/housekeeping.ts';
import { fencedBuilder, fencedJobs, fencedRuntime, fencedSecrets, fencedTraffic, permitOf } from '../engine/fenced.ts';
import type { Tenure } from '../engine/lease.ts';
import { forgetFormerSecrets } from '../engine/secrets/uses.ts';
import { TELEMETRY_EVERY_MS, TelemetryRecorder } from '../engine/telemetry.ts';
import { systemClock } from '../platform/clock.ts';
import { hashPassword, passwordMatches } from '../platform/password.ts';
import { newId } from '../platform/ids.ts';
import { evenkeelVersion } from '../platform/keeper-info.ts';
import type { Logger } from '../platform/log.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';
import { readOrCreateToken } from '../platform/tokens.ts';
import type { LastKnown, Unwritten } from '../ports/emergency.ts';
import type { Store } from '../ports/store.ts';
import { projectSchema } from '../store/rows/project.ts';
import { openTelemetry } from '../store/telemetry/open.ts';
import { auditAnchorFile, unwrittenAuditFile } from './audit-files.ts';
import { BOUND_LOGS_EVERY_MS, boundLogs } from './bound-logs.ts';
import { cloudRouting } from './cloud/cloud-run.ts';
import { routedLogs } from './cloud/routed-logs.ts';
import { routed } from './cloud/routed.ts';
import { checkDatabases } from './doctor/check-databases.ts';
import { collectLogs } from './old-logs.ts';
import { collectPages, pagesFolder } from './pages.ts';
import { standingOf } from './standing.ts';
import { readFence } from './fence-file.ts';
import { readElsewhere, signInElsewhere } from './elsewhere.ts';
import { placesIn } from './places.ts';
import { openWebDoor } from './web-door.ts';
import { redactedLogs } from './redacted-logs.ts';

/**
 * How long a stop waits for what is under way, ms. Whoever follows this controller waits for its end, and requests that are
 * answered later, such as one for a new edge whose keeper died, are asked again.
 */
const UNDER_WAY_MS = 200;
/** How long an edge that does not answer is waited for, ms. */
const TAKE_OVER_MS = 500;

/** How soon what was asked for while the store was away is put into the audit once it is back, ms. */
const AUDIT_EVERY_MS = 1_000;
const KEYS_KEPT_MS = 24 * 3_600_000;

/** Bytes of the disk that no build may take: what runs goes on writing its state, logs and data. */
const DISK_RESERVE = 256 * 1024 ** 2;

/** Where scripts/build-web.ts puts it, in a clone (from src/app) and in the package (from dist/app). */
const DASHBOARD = join(import.meta.dirname, '../../dist/web');

export interface ControllerOptions {
  paths: EvenkeelPaths;
  log: Logger;
  /** Closed by whoever opened it. Null: it is away, and cannot be opened yet. */
  store: (Store & HoldsAccess) | null;
  inPostgres: boolean;
  tenure: Pick<Tenure, 'fence' | 'holds'>;
  emergency: { unwritten: Unwritten; lastKnown: LastKnown };
  /** How long entries of the audit are kept. */
  auditDays: number;
  /** A raw handle of the API's listening socket. */
  apiHandle: unknown;
  /** One of the dashboard's address: it may never come. */
  webHandle: Promise<unknown>;
  /** Another controller acts now: leave at once. */
  onFenced(): void;
  stopServer: ApiDeps['stopServer'];
  restartEdge: ApiDeps['restartEdge'];
}

export interface Controller {
  /** Ends loops and API after what is under way; instances stay. Tells when nothing more is done to the world. */
  stop(idle: () => Promise<void>): Promise<void>;
}

/** Wires the controller together and sets it going. Whoever calls it has the lock or the lease of the controller. */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { paths, log, tenure, emergency } = options;
  const store = options.store ?? awayStore(emergency.lastKnown, emergency.unwritten);
  const [telemetry, token, probeToken, elsewhere] = await Promise.all([
    openTelemetry({ file: paths.telemetry, warn: (message) => log.warn(message) }),
    readOrCreateToken(paths.token),
    readOrCreateToken(paths.probeToken),
    readElsewhere(paths, process.env, log),
  ]);
  const traffic = edgeTraffic({ socketPath: paths.edgeSocket, probeToken });
  const secretsAt = { file: paths.secretsFile, keyFile: paths.secretsKey };
  const redact = secretsRedactor(secretsAt);
  const highest = (): number => readFence(paths.fence);
  const permit = permitOf(highest, tenure, () => options.onFenced());
  const jobs = fencedJobs(processJobs({ home: paths.home, redact, permit }), permit);
  const logs = logReader();
  const cloud = cloudRouting({ env: process.env, home: paths.home, store, log });
  const drivers = routed(
    {
      traffic,
      jobs,
      runtime: processRuntime({ home: paths.home, redact, permit }),
      builder: processBuilder({ home: paths.home, jobs, redact, reserve: DISK_RESERVE, permit }),
    },
    cloud,
  );
  const engine = createEngine({
    store,
    traffic: fencedTraffic(drivers.traffic, permit),
    jobs: fencedJobs(drivers.jobs, permit),
    runtime: fencedRuntime(drivers.runtime, permit),
    builder: fencedBuilder(drivers.builder, permit),
    migrations: sqlReader(),
    secrets: fencedSecrets(fileSecrets(secretsAt), permit),
    certificates: acmeCertificates({
      folder: paths.certificates,
      answer: edgeChallenges({ socketPath: paths.edgeSocket }),
    }),
    passwords: { hash: (password) => hashPassword(password), matches: passwordMatches },
    clock: systemClock,
    timetable: cronTimetable(),
    log,
    places: placesIn(paths),
    newId: () => newId('r'),
    digest: (text) => createHash('sha256').update(text).digest('hex'),
    fence: tenure.fence,
    holds: () => tenure.holds(),
    onFenced: () => options.onFenced(),
    emergency: { ...emergency, traffic: drivers.traffic, awaySince: options.store === null ? Date.now() : null },
  });
  const hurry = hurryWith(systemClock, () => engine.reads.awaySince() !== null);
  const auditor = createAuditor({
    ...engine.deps,
    unwritten: unwrittenAuditFile(paths.unwrittenAudit),
    anchor: auditAnchorFile(paths.auditAnchor),
    days: options.auditDays,
    hurry,
  });
  const changes = openChanges(engine);
  const access = accessDeps(options.store, secretsAt, systemClock);
  // The address that is printed is the one that it has got, and no other server's.
  let web: Server | null = null;
  const api = createApi({
    dashboard: DASHBOARD,
    engine,
    audit: auditor,
    hurry,
    access,
    accounts: processAccounts(),
    ...signInElsewhere(elsewhere, { access, log, sealedWith: secretsAt }),
    webAddress: async () => elsewhere.publicUrl ?? addressOf(web),
    redact,
    telemetry,
    changes,
    logs: redactedLogs(
      routedLogs(logs, cloud, (scope) => cloud.logOf(scope)),
      redact,
    ),
    parseProject: (value) => projectSchema.parse(value),
    token,
    server: { version: evenkeelVersion(), pid: process.pid, startedAt: Date.now(), home: paths.home },
    // Not whether its lease holds: while the store is away it answers.
    mayAnswer: permitOf(highest, { fence: tenure.fence, holds: () => true }, () => options.onFenced()),
    standing: () => standingOf(paths, tenure, options.inPostgres),
    checkDatabases: () => checkDatabases(paths),
    stopServer: () => options.stopServer(),
    restartEdge: () => options.restartEdge(),
  });
  // Before anybody is answered: who was answered by this one shall not meet what the one before still does.
  await Promise.race([engine.takeOver(), sleep(TAKE_OVER_MS)]);
  await api.ready();
  api.server.listen(options.apiHandle as object);
  let leaving = false;
  void options.webHandle.then((handle) => {
    const failed = (error: Error): void => log.error({}, `the dashboard cannot be reached: ${error.message}`);
    if (!leaving) web = openWebDoor(api, handle, failed);
  });
  await engine.start();

  const upkeep = new AbortController();
  const recorder = new TelemetryRecorder(engine.deps, telemetry);
  const running = [
    every(engine.deps, TELEMETRY_EVERY_MS, 'telemetry', () => sample(recorder, changes), upkeep.signal),
    every(engine.deps, LOGS_EVERY_MS, 'logs', () => maintainLogs(engine.deps, logs), upkeep.signal),
    every(engine.deps, BOUND_LOGS_EVERY_MS, 'logs of jobs', () => boundLogs(paths.logs), upkeep.signal),
    every(engine.deps, COLLECT_EVERY_MS, 'artifacts', () => collect(engine.deps, telemetry), upkeep.signal),
    every(engine.deps, AUDIT_EVERY_MS, 'audit', () => auditor.reconcile(), upkeep.signal),
    every(engine.deps, COLLECT_EVERY_MS, 'old entries', () => forgetOld(engine.deps, auditor), upkeep.signal),
    every(engine.deps, COLLECT_EVERY_MS, 'sessions', () => forgetSessions(access), upkeep.signal),
    every(engine.deps, COLLECT_EVERY_MS, 'former secrets', () => forgetSecrets(engine.deps), upkeep.signal),
    every(engine.deps, COLLECT_EVERY_MS, 'old logs', () => boundAllLogs(engine.deps, paths), upkeep.signal),
    every(engine.deps, COLLECT_EVERY_MS, 'pages', () => collectPages(engine.deps, pagesFolder(paths)), upkeep.signal),
  ];
  return {
    async stop(idle) {
      leaving = true;
      web?.close();
      upkeep.abort();
      changes.close();
      const ended = Promise.all([engine.stop().then(idle), api.close(), ...running]);
      const cut = setTimeout(() => {
        traffic.close();
        api.server.closeAllConnections();
        web?.closeAllConnections();
      }, UNDER_WAY_MS);
      await ended;
      clearTimeout(cut);
      traffic.close();
      cloud.close();
      await telemetry.close();
    },
  };
}

/** Answers are given again for a day: longer than anybody goes on asking. */
async function forgetOld({ store, clock }: EngineDeps, auditor: Auditor): Promise<void> {
  await store.forgetKeys(clock.now() - KEYS_KEPT_MS);
  await auditor.forget();
}

async function sample(recorder: TelemetryRecorder, changes: Changes): Promise<void> {
  await recorder.sample();
  changes.tell({ event: { type: 'metrics' }, permission: null, scope: null });
}

async function forgetSecrets(deps: EngineDeps): Promise<void> {
  const forgotten = await forgetFormerSecrets(deps);
  if (forgotten > 0) deps.log.info({ forgotten }, 'former values of secrets deleted: nothing that runs needs them');
}

async function boundAllLogs(deps: EngineDeps, { logs }: EvenkeelPaths): Promise<void> {
  const freed = await collectLogs(deps, logs);
  if (freed > 0) deps.log.warn({ freed }, 'logs took too much of the disk: the oldest were deleted');
}
