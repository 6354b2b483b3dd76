import type { ScaleConfig, ServiceConfig } from '../project/project.ts';

/** How many instances a service has now, where that is not simply what its file says. */
export interface Scale {
  service: string;
  instances: number;
  /** When that was changed last. */
  changedAt: number;
  override: ScaleOverride | null;
}

/** What somebody asked for by hand. It holds until the file says something else than it did then. */
export interface ScaleOverride {
  min: number;
  max: number;
  by: string;
  /** What the file said; see `basisOf`. */
  basis: string;
}

/** A line of the story of a service's size. */
export interface ScaleChange {
  at: number;
  /** Null for the first. */
  from: number | null;
  to: number;
  reason: string;
}

export interface Bounds {
  min: number;
  max: number;
}

export const DEFAULT_SCALE: Omit<ScaleConfig, 'max'> = { concurrency: 25, cpu: 0.7, cooldownMs: 120_000 };

type Sized = Pick<ServiceConfig, 'instances' | 'scale'>;

/** What the file says of the number of instances, in a form that can be compared. */
export const basisOf = ({ instances, scale }: Sized): string => `${instances}..${scale?.max ?? instances}`;

/** Between which numbers of instances a release of this configuration moves. */
export function boundsOf(config: Sized, override: ScaleOverride | null): Bounds {
  if (override !== null && override.basis === basisOf(config)) return { min: override.min, max: override.max };
  return { min: config.instances, max: config.scale?.max ?? config.instances };
}

/** How many instances a release of this configuration ought to have. */
export function sizeOf(config: Sized, scale: Scale | null): number {
  const { min, max } = boundsOf(config, scale?.override ?? null);
  return Math.min(max, Math.max(min, scale?.instances ?? min));
}
