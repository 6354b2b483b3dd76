import { cloudBuild } from './build/cloud/cloud-build.ts';
import { SharedWorkshop } from './build/workshop.ts';
import type { Api, Door } from './core/api.ts';
import { cloudRun } from './run/cloud-run.ts';
import type { RunOptions } from './run/options.ts';

/** What of the cloud really runs on this machine: builds, and the services made of them. One of these for each emulator. */
export function processParts(options: Partial<RunOptions> = {}): { apis: Api[]; doors: Door[] } {
  const workshop = new SharedWorkshop();
  const run = cloudRun(workshop, options);
  return { apis: [...run.apis, cloudBuild(workshop)], doors: [run.door] };
}
