import type { Scale, ScaleChange, ScaleOverride } from '../domain/scaling/scale.ts';

type Service = { project: string; environment: string; service: string };

/** How many instances services have. */
export interface ScaleStore {
  scales(project: string, environment: string): Promise<Scale[]>;
  /**
   * Changes how many instances a service has, with a line of its story; `contested` when it has not `change.from` any more
   * (null: it has no entry yet).
   */
  resize(
    service: Service,
    change: ScaleChange,
    fence: number,
  ): Promise<{ saved: true } | { saved: false; reason: 'contested' | 'fence' }>;
  /** What somebody asks for by hand, or null for what the file says; `change` begins its entry and its line of the story. */
  overrideScale(service: Service, override: ScaleOverride | null, change: ScaleChange): Promise<void>;
  /** Newest first. */
  scaleChanges(service: Service, limit: number): Promise<ScaleChange[]>;
}
