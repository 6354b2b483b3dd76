import type { LastKnown, Unwritten } from '../../ports/emergency.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { RolloutQuery, Store } from '../../ports/store.ts';

export function storeAway(): EvenkeelError {
  return new EvenkeelError({
    code: 'store-busy',
    what: 'The store does not answer; nothing was written.',
    next: 'Try again. What serves goes on serving; `evenkeel abort` and `evenkeel rollback` work meanwhile.',
    retryable: true,
    exit: 2,
  });
}

/**
 * The store in its absence: reads as it was known last, with the requests that it has not been told yet behind those
 * that it has heard. Nothing can be written.
 */
export function awayStore(lastKnown: LastKnown, unwritten: Unwritten): Store {
  const refused = (): Promise<never> => Promise.reject(storeAway());
  const rollouts = (query: RolloutQuery) =>
    lastKnown
      .all()
      .flatMap((known) => known.rollouts)
      .filter((each) => (query.project ?? each.project) === each.project)
      .filter((each) => (query.environment ?? each.environment) === each.environment)
      .filter(
        ({ services }) => query.service === undefined || services.some(({ service }) => service === query.service),
      )
      .slice(0, query.limit ?? Infinity);
  const of = (project: string, environment: string) => lastKnown.of({ project, environment });
  return {
    environment: async (project, environment) => of(project, environment)?.record ?? null,
    environments: async () => lastKnown.all().map(({ record }) => record),
    deployments: async (project, environment) => of(project, environment)?.deployments ?? [],
    scales: async (project, environment) => of(project, environment)?.scales ?? [],
    // Nothing of them is begun, or ended, before the store is back.
    runs: async () => [],
    scheduleMarks: async () => [],
    addresses: async (project, environment) => of(project, environment)?.addresses ?? [],
    rollouts: async (query) => rollouts(query),
    rollout: async (id) => rollouts({}).find((each) => each.id === id) ?? null,
    release: async (project, id) =>
      lastKnown
        .all()
        .flatMap(({ releases }) => releases)
        .find((each) => each.project === project && each.id === id) ?? null,
    async requests(id, afterSeq) {
      const rollout = rollouts({}).find((each) => each.id === id);
      if (rollout === undefined) return [];
      const mine = unwritten.of(rollout).filter((each) => each.rollout === id);
      return mine
        .map(({ kind, by, human, at, comment, force }, index) => ({
          rollout: id,
          seq: rollout.requestSeq + 1 + index,
          kind,
          by,
          human: human ?? null,
          at,
          comment,
          force,
        }))
        .filter(({ seq }) => seq > afterSeq);
    },
    // The look that finds a build done writes it again.
    setArtifact: async () => undefined,
    actAs: () => undefined,
    close: async () => undefined,
    lease: refused,
    takeLease: refused,
    renewLease: refused,
    giveUpLease: refused,
    nextFence: refused,
    saveEnvironment: refused,
    reserveReleaseNumbers: refused,
    addReleases: refused,
    releases: refused,
    ensureDeployments: refused,
    takenPorts: refused,
    giveAddresses: refused,
    takeAddresses: refused,
    createRollout: refused,
    saveRollout: refused,
    journal: refused,
    addRequest: refused,
    decideRuns: refused,
    addRun: refused,
    cancelRun: refused,
    saveRun: refused,
    forgetRuns: refused,
    resize: refused,
    overrideScale: refused,
    scaleChanges: refused,
    appendAudit: refused,
    auditHead: refused,
    auditEntries: refused,
    auditActs: refused,
    cutAudit: refused,
    claimKey: refused,
    takeOverKey: refused,
    answerKey: refused,
    releaseKey: refused,
    forgetKeys: refused,
  };
}
