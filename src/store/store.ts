import type { AccessStore, HoldsAccess } from '../ports/access-store.ts';
import type { Store } from '../ports/store.ts';
import { nextNumber } from './queries/counters.ts';
import { appendAudit, auditHead, cutAudit, listActs, listAudit } from './queries/audit.ts';
import { giveAddresses, listAddresses, takeAddresses } from './queries/addresses.ts';
import { ensureDeployments, listDeployments, setServing } from './queries/deployments.ts';
import { allEnvironments, findEnvironment, moveListen, saveEnvironment } from './queries/environments.ts';
import { answerKey, claimKey, forgetKeys, releaseKey, takeOverKey } from './queries/idempotency.ts';
import { takenPorts } from './queries/ports.ts';
import { findLease, giveUpLease, refuseLate, renewLease, takeLease } from './queries/leases.ts';
import { addReleases, findRelease, listReleases, reserveReleaseNumbers, setArtifact } from './queries/releases.ts';
import { addRequest, listRequests } from './queries/requests.ts';
import { addRun, cancelRun, decideRuns, forgetRuns, listRuns, saveRun, scheduleMarks } from './queries/runs.ts';
import { createRollout, findRollout, listJournal, listRollouts, saveRollout } from './queries/rollouts.ts';
import { listScales, overrideScale, resize, scaleChanges } from './queries/scales.ts';
import type { Transactor } from './transactor.ts';

/** The store over any database that the queries run on; every method is one transaction, or one statement. */
export function createStore(transactor: Transactor): Store & HoldsAccess {
  const read: Transactor['read'] = (query) => transactor.read(query);
  let acting: number | null = null;
  let access: Promise<AccessStore> | null = null;
  const write: Transactor['write'] = (change, options) =>
    transactor.write(async (db) => {
      if (acting !== null) await refuseLate(db, acting);
      return change(db);
    }, options);
  const { now } = transactor;
  const lastResort = { lastResort: true };
  return {
    access: () =>
      (access ??= import('./access.ts').then(({ createAccessStore }) => createAccessStore({ read, write }))),

    nextFence: () => transactor.write((db) => nextNumber(db, 'fence'), lastResort),
    actAs: (fence) => void (acting = fence),

    lease: () => read((db) => findLease(db, now)),
    takeLease: (request) => transactor.write((db) => takeLease(db, now, request), lastResort),
    // Single statements, which wait behind no other write: a lease must not run out because of one that is slow.
    renewLease: (held) => read((db) => renewLease(db, now, held)),
    giveUpLease: (held) => read((db) => giveUpLease(db, held)),

    saveEnvironment: (record, options) => write((db) => saveEnvironment(db, record, options)),
    environment: (project, environment) => read((db) => findEnvironment(db, project, environment)),
    environments: () => read(allEnvironments),

    reserveReleaseNumbers: (project, services) => write((db) => reserveReleaseNumbers(db, project, services)),
    addReleases: (releases) => write((db) => addReleases(db, releases)),
    setArtifact: (project, release, artifact) => write((db) => setArtifact(db, project, release, artifact)),
    release: (project, id) => read((db) => findRelease(db, project, id)),
    releases: (query) => read((db) => listReleases(db, query)),

    deployments: (project, environment) => read((db) => listDeployments(db, project, environment)),
    ensureDeployments: (deployments) => write((db) => ensureDeployments(db, deployments)),
    takenPorts: () => read(takenPorts),

    addresses: (project, environment) => read((db) => listAddresses(db, project, environment)),
    giveAddresses: (addresses) => write((db) => giveAddresses(db, addresses)),
    takeAddresses: (where, releases) => write((db) => takeAddresses(db, where, releases)),

    createRollout: (rollout, entry, basedOn) => write((db) => createRollout(db, rollout, entry, basedOn)),
    rollout: (id) => read((db) => findRollout(db, id)),
    rollouts: (query) => read((db) => listRollouts(db, query)),
    saveRollout: (rollout, fence, entries, deployments = [], listen = null) =>
      write(
        async (db) => {
          const result = await saveRollout(db, rollout, fence, entries);
          if (result.saved) await setServing(db, rollout, deployments);
          if (result.saved && listen !== null) await moveListen(db, rollout, listen);
          return result;
        },
        // Transitions only: what analysis counts meanwhile can be lost, and would use that room up.
        { lastResort: entries.length > 0 },
      ),
    journal: (rollout) => read((db) => listJournal(db, rollout)),

    addRequest: (request) => write((db) => addRequest(db, request), lastResort),
    requests: (rollout, afterSeq) => read((db) => listRequests(db, rollout, afterSeq)),

    scheduleMarks: (project, environment) => read((db) => scheduleMarks(db, project, environment)),
    decideRuns: (scope, decided, fence) => write((db) => decideRuns(db, scope, decided, fence)),
    addRun: (run) => write((db) => addRun(db, run)),
    cancelRun: (scope, by) => write((db) => cancelRun(db, scope, by), lastResort),
    saveRun: (run, fence) => write((db) => saveRun(db, run, fence), lastResort),
    runs: (query) => read((db) => listRuns(db, query)),
    forgetRuns: (keep) => write((db) => forgetRuns(db, keep)),

    scales: (project, environment) => read((db) => listScales(db, project, environment)),
    resize: (service, change, fence) => write((db) => resize(db, service, change, fence)),
    overrideScale: (service, override, change) => write((db) => overrideScale(db, service, override, change)),
    scaleChanges: (service, limit) => read((db) => scaleChanges(db, service, limit)),

    appendAudit: (contents, options) => write((db) => appendAudit(db, contents), options),
    auditHead: () => read(auditHead),
    auditEntries: (query) => read((db) => listAudit(db, query)),
    auditActs: (query) => read((db) => listActs(db, query)),
    cutAudit: (cut) => write((db) => cutAudit(db, cut)),

    claimKey: (claim) => write((db) => claimKey(db, claim)),
    takeOverKey: (known, fence) => write((db) => takeOverKey(db, known, fence)),
    answerKey: (held, answer) => write((db) => answerKey(db, held, answer)),
    releaseKey: (held) => write((db) => releaseKey(db, held)),
    forgetKeys: (before) => write((db) => forgetKeys(db, before)),

    close: () => transactor.close(),
  };
}
