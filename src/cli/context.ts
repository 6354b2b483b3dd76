import type { ServerInfo } from '../api/contract/server.ts';
import type { Scope } from '../api/contract/common.ts';
import { readProjectName } from '../config/project-name.ts';
import { EvenkeelError } from '../ports/errors.ts';
import { apiClient, type ApiClient } from '../api/contract/client.ts';
import type { CliDeps } from './deps.ts';
import { interruptible, type Interrupt } from './interrupt.ts';
import type { Output } from './output.ts';

/** Options that mean the same for every command; null: not given. */
export interface Globals {
  environment: string | null;
  project: string | null;
  json: boolean;
  yes: boolean;
  color: boolean;
}

/** What a command runs in. */
export interface Context {
  deps: CliDeps;
  globals: Globals;
  out: Output;
  interrupt: Interrupt;
  /** `--env`, else EVENKEEL_ENV, else `development`. */
  environment: string;
  /** Throws `server-not-running`. */
  client(): Promise<ApiClient>;
  /** Starts the server unless it runs, and says so. */
  startedClient(): Promise<ApiClient>;
  /** `--project`, else the name in `evenkeel.yaml`; null outside of any project. */
  projectName(): Promise<string | null>;
  /** The project and environment that the command is about. Throws `no-project`. */
  scope(): Promise<Scope>;
}

export const DEFAULT_ENVIRONMENT = 'development';

export function createContext(deps: CliDeps, globals: Globals, out: Output, interrupt: Interrupt): Context {
  const environment = globals.environment ?? nonEmpty(deps.env['EVENKEEL_ENV']) ?? DEFAULT_ENVIRONMENT;
  const client = async (): Promise<ApiClient> => apiClient(await deps.connect());
  const projectName = async (): Promise<string | null> =>
    globals.project ?? (await readProjectName(deps.cwd))?.name ?? null;
  return {
    deps,
    globals,
    out,
    interrupt,
    environment,
    client,
    projectName,
    async startedClient() {
      const started = await interruptible(interrupt.signal, deps.ensureServer(interrupt.signal));
      const asked = await client();
      if (started === 'started') await sayStarted(asked, out);
      return asked;
    },
    async scope() {
      const project = await projectName();
      if (project !== null) return { project, environment };
      throw new EvenkeelError({
        code: 'no-project',
        what: 'there is no evenkeel.yaml here',
        where: deps.cwd,
        why: 'neither this folder nor one above it holds one',
        next: 'go to the folder of your project, name it with `--project NAME`, or begin with `evenkeel init`',
      });
    },
  };
}

/** The first time with a way in: nobody has a password yet. A dashboard that is slow to come holds nothing up. */
async function sayStarted(client: ApiClient, out: Output): Promise<void> {
  out.line(out.style.dim('Started the evenkeel server.'));
  if (out.json) return;
  const { dashboard } = await client.getServer({}).catch((): Partial<ServerInfo> => ({}));
  if (dashboard?.url === undefined || dashboard.url === null) return;
  if (!dashboard.first)
    return out.line(out.style.dim(`Its dashboard: ${dashboard.url} (evenkeel dashboard signs you in)`));
  const link = await client.createSignInLink({}).catch(() => null);
  if (link?.url === undefined || link.url === null) return;
  out.line(`Its dashboard, with a link that signs you in once: ${link.url}`);
}

const nonEmpty = (value: string | undefined): string | null => (value === undefined || value === '' ? null : value);
