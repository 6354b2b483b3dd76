import { buildImages, type BuildAsked } from './build.ts';
import { cloudCost } from './cost.ts';
import { type CleanupOptions, prepareCleanup } from './cleanup.ts';
import type { DeskDeps } from './desk-deps.ts';
import { prepareRest } from './rest.ts';
import { setSecret } from './secret.ts';
import { preparePlan } from './setup.ts';
import { cloudList, cloudStatus } from './status.ts';
import { terraformPart } from './terraform.ts';
import { cloudUrls } from './urls.ts';

/** What `evenkeel cloud` can do for one environment, as `cli/cloud/desk.ts` asks for it. */
export function cloudDesk(deps: DeskDeps, emulator: string | null) {
  return {
    emulator,
    plan: (only: readonly string[], signal: AbortSignal) => preparePlan(deps, only, signal),
    status: (options: { waitMs: number | null }, signal: AbortSignal) => cloudStatus(deps, options, signal),
    list: (signal: AbortSignal) => cloudList(deps, signal),
    cost: (signal: AbortSignal) => cloudCost(deps, signal),
    urls: (options: { check: boolean; write: boolean }, signal: AbortSignal) => cloudUrls(deps, options, signal),
    build: (asked: BuildAsked, signal: AbortSignal) => buildImages(deps, asked, signal),
    terraform: (signal: AbortSignal) => terraformPart(deps, signal),
    cleanup: (options: CleanupOptions, signal: AbortSignal) => prepareCleanup(deps, options, signal),
    rest: (running: boolean, signal: AbortSignal) => prepareRest(deps, running, signal),
    setSecret: (name: string, value: string, signal: AbortSignal) => setSecret(deps, { name, value }, signal),
  };
}
