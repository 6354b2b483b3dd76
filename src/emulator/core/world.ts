import { Blobs } from '../state/blobs.ts';
import { State } from '../state/state.ts';
import { join } from 'node:path';
import { Calls } from './calls.ts';
import { Faults } from './faults.ts';
import { Identities } from './identities.ts';
import { Operations } from './operations.ts';
import { Policies } from './policies.ts';
import { Projects } from './projects.ts';
import { Signals } from './signals.ts';

/** Everything that handlers share. */
export interface World {
  /** Wall time, ms. */
  now: () => number;
  state: State;
  blobs: Blobs;
  operations: Operations;
  projects: Projects;
  policies: Policies;
  identities: Identities;
  faults: Faults;
  calls: Calls;
  /** Metrics and log entries, filled by whoever runs services. */
  signals: Signals;
  options: WorldOptions;
  /** The public halves (PEM) of a service account's keys, or of the one that is named; what proves a JWT of its holder. */
  findAccountKeys: (email: string, keyId: string | null) => string[];
  /** Where the emulator listens, such as `http://127.0.0.1:8085`; empty until it does. */
  url: string;
}

export interface WorldOptions {
  /** The owner's token: whoever presents it may do everything. */
  token: string;
  /** Folder in which the state is kept; null: in memory. */
  folder: string | null;
  /** Ids of the projects there are; null: whichever is named. */
  projects: readonly string[] | null;
  /** How many times faster operations end than the real cloud's. */
  speed: number;
  /** URL of a Postgres server (`postgres://user:password@host:port/postgres`) in which SQL instances are really made. */
  postgres: string | null;
}

export async function createWorld(options: WorldOptions): Promise<World> {
  const now = (): number => Date.now();
  const state = await State.open(options.folder);
  return {
    now,
    state,
    blobs: new Blobs(options.folder === null ? null : join(options.folder, 'blobs')),
    operations: new Operations(state, now, options.speed),
    projects: new Projects(state, now, options.projects),
    policies: new Policies(state),
    identities: new Identities(state, options.token, now),
    faults: new Faults(),
    calls: new Calls(),
    signals: new Signals(now),
    options,
    findAccountKeys: () => [],
    url: '',
  };
}

/** A moment as the APIs write it. */
export const timestamp = (ms: number): string => new Date(ms).toISOString();
