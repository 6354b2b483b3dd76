import type { CloudBuildLine, CloudBuildResult } from '../../api/contract/cloud/build.ts';
import type { CloudService } from '../../domain/cloud/config.ts';
import { imageOf } from '../../domain/cloud/names.ts';
import { problemOf } from '../../engine/cloud/problem.ts';
import { suggest } from '../../lib/suggest.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { DeskDeps } from './desk-deps.ts';
import { examineImages, imageRequest } from './images.ts';

export interface BuildAsked {
  /** Names in the file; empty: all. */
  services: readonly string[];
  onEvent(event: CloudBuildLine): void;
  /** What is wrong with a Dockerfile and does not keep it from being built. */
  onWarning(text: string): void;
}

/**
 * Builds images and pushes them; nothing is deployed. All Dockerfiles are looked at before the first build is paid for:
 * throws `dockerfile-wrong` with all that is wrong with any of them.
 */
export async function buildImages(deps: DeskDeps, asked: BuildAsked, signal: AbortSignal): Promise<CloudBuildResult> {
  const started = performance.now();
  const { root, services: declared } = deps.project;
  const sources = chosen(deps, asked.services).map(({ service, dockerfile, context }) => {
    const dir = declared.find(({ name }) => name === service)?.dir ?? '.';
    return { service, dir, dockerfile, context };
  });
  const { leaveOut, warnings } = await examineImages(root, sources);
  for (const warning of warnings) asked.onWarning(warning);
  await deps.cloud.greet(signal);
  const at = deps.now();
  const built: CloudBuildResult['built'] = [];
  const failed: CloudBuildResult['failed'] = [];
  await Promise.all(
    sources.map(async (source) => {
      const { service } = source;
      const say = (type: 'line' | 'step', text: string): void => asked.onEvent({ type, service, text });
      const events = { line: (text: string) => say('line', text), step: (text: string) => say('step', text) };
      const request = imageRequest(root, source, { image: imageOf(deps.config, service), at, leaveOut });
      try {
        const done = await deps.builder.build(request, events, signal);
        built.push({ service, image: done.image, tags: done.tags, digest: done.digest, logUrl: done.logUrl });
      } catch (error) {
        failed.push({ service, problem: problemOf(error) });
      }
    }),
  );
  const exit = signal.aborted ? 130 : failed.length > 0 ? 2 : 0;
  return { type: 'result', exit, built, failed, ms: Math.round(performance.now() - started) };
}

function chosen({ config }: DeskDeps, names: readonly string[]): CloudService[] {
  const known = config.services.map(({ service }) => service);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const meant = suggest(unknown, known);
    throw new EvenkeelError({
      code: 'service-unknown',
      what: `no service ${unknown} runs on Cloud Run in this environment`,
      next:
        meant === null
          ? `one of ${known.join(', ') || 'none: `runtime: cloud-run` puts services there'}`
          : `did you mean ${meant}?`,
    });
  }
  const wanted = config.services.filter(({ service }) => names.length === 0 || names.includes(service));
  const built = wanted.filter(({ image }) => image === null);
  if (built.length > 0) return built;
  throw new EvenkeelError({
    code: 'nothing-to-build',
    what:
      wanted.length === 0
        ? 'no service of this environment runs on Cloud Run'
        : 'these services use images as they are',
    next:
      wanted.length === 0
        ? 'set `runtime: cloud-run` for the environment, or choose another with --env'
        : 'evenkeel deploy',
  });
}
