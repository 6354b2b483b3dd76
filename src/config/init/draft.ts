import { NAME_PATTERN } from '../schema/scalars.ts';

/** A service as `init` found it; null where nothing was found. */
export interface DraftService {
  name: string;
  /** Relative to the project's root; `.` is the root. */
  dir: string;
  run: string | null;
  build: string | null;
  migrate: string | null;
  /** For `evenkeel dev`, where that is not `run`. */
  dev: string | null;
  static: string | null;
  /** The path that is asked. */
  health: string | null;
  /** `grace`, `deadline` and `timeout` of the health check, as the file has them. */
  healthTimes: Readonly<Record<string, string>>;
  /** `/` is what `init` may change to share the traffic; anything else stays. */
  routes: string[];
  after: string[];
  instances: number | null;
  /** As the file has it, such as `512Mi`. */
  memory: string | null;
  cpu: string | null;
  data: string[];
  stopGrace: string | null;
  env: Record<string, string>;
  /** Where it was found, for the comment above it. */
  source: string;
}

/** What one source says. */
export interface Findings {
  services: DraftService[];
  /** What could not be carried over, one sentence each. */
  notes: string[];
  /** Names that look like secrets, so that their values are not copied. */
  secrets: string[];
  databases: DraftDatabase[];
  /** The name that the source gives to the project. */
  project?: string;
}

export interface DraftDatabase {
  name: string;
  engine: string;
  version: string | null;
}

export function emptyFindings(): Findings {
  return { services: [], notes: [], secrets: [], databases: [] };
}

export function draftService(name: string, source: string, given: Partial<DraftService> = {}): DraftService {
  return {
    name: toName(name),
    dir: '.',
    run: null,
    build: null,
    migrate: null,
    dev: null,
    static: null,
    health: null,
    healthTimes: {},
    routes: [],
    after: [],
    instances: null,
    memory: null,
    cpu: null,
    data: [],
    stopGrace: null,
    env: {},
    source,
    ...given,
  };
}

/** `@team/Chat_API` -> `chat-api`, `Müller` -> `muller` */
export function toName(text: string, otherwise = 'app'): string {
  const name = text
    .replace(/^@[^/]*\//, '')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return new RegExp(NAME_PATTERN).test(name) ? name : otherwise;
}

/** What a shell would expand stays for the shell; `${PORT}` is left to it anyway. */
export function escapeCommand(command: string): string {
  return command.replaceAll(/\$+\{(?!PORT(?::-[^${}]*)?\})/g, (match) => `$${match}`);
}
