import type { Run, ScheduleMark } from '../../../src/domain/schedule/run.ts';
import type { RunStore, SaveRuns } from '../../../src/ports/run-store.ts';

const keyOf = (...parts: string[]): string => JSON.stringify(parts);

/** The part of the memory store that keeps runs of scheduled services. */
export function memoryRuns(
  transaction: <T>(act: () => T) => Promise<T>,
  change: <T>(act: () => T) => Promise<T>,
): RunStore {
  const marks = new Map<string, { scope: string; mark: ScheduleMark; fence: number }>();
  let all: { run: Run; fence: number }[] = [];
  const contested: SaveRuns = { saved: false, reason: 'contested' };
  type Service = Pick<Run, 'project' | 'environment' | 'service'>;
  const nameOf = (each: Service): string => keyOf(each.project, each.environment, each.service);
  const of = (service: Service): { run: Run; fence: number }[] =>
    all.filter(({ run }) => nameOf(run) === nameOf(service));
  const rival = (service: Service, runs: Run[]): boolean =>
    of(service).some(
      ({ run }) =>
        runs.some((each) => each.dueAt === run.dueAt) ||
        (run.state === 'running' && runs.some((each) => each.state === 'running')),
    );
  const newestFirst = (): Run[] =>
    all.map(({ run }) => run).toSorted((a, b) => b.dueAt - a.dueAt || (a.service < b.service ? -1 : 1));

  return {
    scheduleMarks: (project, environment) =>
      transaction(() =>
        [...marks.values()]
          .filter(({ scope }) => scope === keyOf(project, environment))
          .map(({ mark }) => mark)
          .toSorted((a, b) => (a.service < b.service ? -1 : 1)),
      ),
    decideRuns: (service, { from, mark, runs }, fence) =>
      change(() => {
        const known = marks.get(nameOf(service));
        if (known !== undefined && known.fence > fence) return { saved: false, reason: 'fence' };
        if (known?.mark.spec !== from?.spec || known?.mark.through !== from?.through) return contested;
        const fresh = runs.filter((each) => !of(service).some(({ run }) => run.dueAt === each.dueAt));
        if (rival(service, fresh)) return contested;
        if (mark === null) marks.delete(nameOf(service));
        else marks.set(nameOf(service), { scope: keyOf(service.project, service.environment), mark, fence });
        all.push(...fresh.map((run) => ({ run: { ...run }, fence })));
        return { saved: true };
      }),
    addRun: (run) =>
      change(() => {
        if (rival(run, [run])) return null;
        all.push({ run: { ...run }, fence: 0 });
        return run;
      }),
    cancelRun: (service, by) =>
      change(() => {
        const found = of(service).find(({ run }) => run.state === 'running');
        if (found === undefined) return null;
        found.run = { ...found.run, cancelledBy: found.run.cancelledBy ?? by };
        return found.run;
      }),
    saveRun: (run, fence) =>
      change(() => {
        const found = of(run).find((each) => each.run.dueAt === run.dueAt);
        if (found === undefined || found.run.state !== 'running') return contested;
        if (found.fence > fence) return { saved: false, reason: 'fence' };
        Object.assign(found, { run: { ...run, cancelledBy: found.run.cancelledBy }, fence });
        return { saved: true };
      }),
    runs: ({ project, environment, service, running, limit = 100 }) =>
      transaction(() =>
        newestFirst()
          .filter((each) => each.project === project && each.environment === environment)
          .filter((each) => (service ?? each.service) === each.service)
          .filter((each) => running !== true || each.state === 'running')
          .slice(0, limit),
      ),
    forgetRuns: (keep) =>
      change(() => {
        const kept = new Map<string, number>();
        const stay = new Set<Run>();
        for (const run of newestFirst()) {
          const count = (kept.get(nameOf(run)) ?? 0) + 1;
          kept.set(nameOf(run), count);
          if (count <= keep || run.state === 'running') stay.add(run);
        }
        all = all.filter(({ run }) => stay.has(run));
      }),
  };
}
