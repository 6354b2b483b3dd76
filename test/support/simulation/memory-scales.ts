import type { Scale, ScaleChange } from '../../../src/domain/scaling/scale.ts';
import type { ScaleStore } from '../../../src/ports/scale-store.ts';

/** The part of the memory store that keeps how many instances services have. */
export function memoryScales(
  transaction: <T>(act: () => T) => Promise<T>,
  write: <T>(act: () => T) => Promise<T>,
): ScaleStore {
  type Service = { project: string; environment: string; service: string };
  const scales = new Map<string, { where: string; scale: Scale; fence: number }>();
  const changes = new Map<string, ScaleChange[]>();
  const nameOf = ({ project, environment, service }: Service): string =>
    JSON.stringify([project, environment, service]);
  const whereOf = (project: string, environment: string): string => JSON.stringify([project, environment]);
  const tell = (service: Service, change: ScaleChange): void => {
    const all = changes.get(nameOf(service)) ?? [];
    const at = Math.max(change.at, (all.at(-1)?.at ?? 0) + 1);
    changes.set(nameOf(service), [...all, { ...change, at }]);
  };
  return {
    scales: (project, environment) =>
      transaction(() =>
        [...scales.values()]
          .filter(({ where }) => where === whereOf(project, environment))
          .map(({ scale }) => scale)
          .toSorted((a, b) => (a.service < b.service ? -1 : 1)),
      ),
    resize: (service, change, fence) =>
      write(() => {
        const known = scales.get(nameOf(service));
        if (known !== undefined && known.fence > fence) return { saved: false, reason: 'fence' };
        if ((known?.scale.instances ?? null) !== change.from) return { saved: false, reason: 'contested' };
        const scale = { override: null, ...known?.scale, instances: change.to, changedAt: change.at };
        const where = whereOf(service.project, service.environment);
        scales.set(nameOf(service), { where, scale: { ...scale, service: service.service }, fence });
        tell(service, change);
        return { saved: true };
      }),
    overrideScale: (service, override, change) =>
      write(() => {
        const fence = scales.get(nameOf(service))?.fence ?? 0;
        const where = whereOf(service.project, service.environment);
        const scale = { service: service.service, instances: change.to, changedAt: change.at, override };
        scales.set(nameOf(service), { where, scale, fence });
        tell(service, change);
      }),
    scaleChanges: (service, limit) =>
      transaction(() => (changes.get(nameOf(service)) ?? []).toReversed().slice(0, limit)),
  };
}
