import type { Project } from '../../domain/project/project.ts';
import { writeAccountKey } from '../../drivers/cloud/google/account-key.ts';
import { imageBuilder } from '../../drivers/cloud/google/build/build-image.ts';
import { googleCloud } from '../../drivers/cloud/google/google-cloud.ts';
import { endpointOf, findCredentials } from '../../platform/google/credentials.ts';
import { openGoogle, type GoogleHttp } from '../../platform/google/http.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { GoogleRefusal } from '../../platform/google/refusal.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { cloudDesk } from './desk.ts';
import type { Answered } from './desk-deps.ts';
import { ensureEmulator } from './emulator-process.ts';

export interface OpenRequest {
  project: Project;
  emulate: boolean;
  signal: AbortSignal;
}

/** The cloud of a project's environment, with the credentials of whoever asks. Throws `no-cloud`, `cloud-credentials`. */
export async function openCloud(
  { project, emulate, signal }: OpenRequest,
  { env, paths }: { env: NodeJS.ProcessEnv; paths: EvenkeelPaths },
): Promise<ReturnType<typeof cloudDesk>> {
  const { cloud: config, name, environment } = project;
  if (config === undefined) throw noCloud(environment.name);
  const emulator = emulate ? await ensureEmulator({ env, paths }, signal) : null;
  const where =
    emulator === null ? env : { ...env, EVENKEEL_CLOUD_ENDPOINT: emulator.url, EVENKEEL_CLOUD_TOKEN: emulator.token };
  const endpoint = endpointOf(where);
  const http = openGoogle({ credentials: await findCredentials({ env: where }), endpoint });
  const scope = {
    cloudProject: config.project,
    region: config.region,
    project: name,
    environment: environment.name,
  };
  const cloud = googleCloud({ scope, http, database: config.database });
  const { google } = cloud;
  const deps = {
    cloud,
    project,
    config,
    now: () => Date.now(),
    builder: imageBuilder(google),
    writeKey: (account: string, file: string, signal: AbortSignal) => writeAccountKey(google, account, file, signal),
    ask: asking(http),
  };
  return cloudDesk(deps, endpoint === null ? null : endpoint.origin);
}

const asking =
  (http: GoogleHttp) =>
  async (url: string, { public: open, signal }: { public: boolean; signal: AbortSignal }): Promise<Answered> => {
    const asked = `GET ${url}${open ? '' : ' with an identity token'}`;
    try {
      const as = open ? 'nobody' : { audience: new URL(url).origin };
      const answer = await http.send('GET', url, { as, signal, tryMs: 20_000 });
      await answer.body?.cancel();
      return { ok: true, asked, answered: `${answer.status} ${answer.statusText}`.trim() };
    } catch (error) {
      if (!(error instanceof EvenkeelError)) throw error;
      return { ok: false, asked, answered: answeredBy(error, open) };
    }
  };

function answeredBy(error: EvenkeelError, open: boolean): string {
  const status = error instanceof GoogleRefusal ? error.status : null;
  if (status === null || error.why === null)
    return error.why === null ? error.message : `${error.message}: ${error.why}`;
  // Cloud Run's own door, and not the service.
  const shut = open && status === 403 && /authenticated|permission to get/i.test(error.why);
  return shut ? `${error.why}; it is open to everybody once a release of it was promoted` : error.why;
}

const noCloud = (environment: string): EvenkeelError =>
  new EvenkeelError({
    code: 'no-cloud',
    what: `evenkeel.yaml says nothing of a cloud for ${environment}`,
    where: 'evenkeel.yaml',
    next: 'add `cloud: { project: ID, region: europe-west1 }`, or choose another environment with --env',
  });
