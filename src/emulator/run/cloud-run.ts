import type { Api, Door } from '../core/api.ts';
import type { World } from '../core/world.ts';
import type { SharedWorkshop, Workshop } from '../build/workshop.ts';
import { carryOut } from './deploy.ts';
import { Engine } from './engine.ts';
import { carryOutExecution } from './executions.ts';
import { frontDoor } from './front.ts';
import { mayAnswer } from './hosts.ts';
import type { Behind } from './inner-doors.ts';
import { jobsV2 } from './jobs-v2.ts';
import { operationHandlers } from './operations.ts';
import { usualOptions, type RunOptions } from './options.ts';
import { revisionsV2 } from './revisions-v2.ts';
import { servicesV1 } from './services-v1.ts';
import { servicesV2 } from './services-v2.ts';

export interface CloudRun {
  apis: Api[];
  door: Door;
}

/** Cloud Run, whose services really run as processes of this machine. */
export function cloudRun(workshop: SharedWorkshop, options: Partial<RunOptions> = {}): CloudRun {
  let running: Engine | null = null;
  const engine = (): Engine => {
    if (running === null) throw new Error('the emulated Cloud Run is not installed');
    return running;
  };
  const door = frontDoor(engine);
  const behind = (world: World): Behind => ({
    knows: (host) => mayAnswer(engine(), host),
    handle: async (request, response) => door.handle(request, response, world),
    upgrade: (request, socket, head) => door.upgrade?.(request, socket, head, world),
  });
  const v2: Api = {
    document: 'run.v2',
    handlers: { ...servicesV2(engine), ...revisionsV2(engine), ...jobsV2(engine), ...operationHandlers },
    install: async (world) => {
      running = open(world, await workshop.enter(world), { ...usualOptions, ...options }, behind(world));
    },
    stop: async () => {
      await running?.stop();
      await workshop.leave();
    },
  };
  const v1: Api = { document: 'run.v1', handlers: { ...servicesV1(engine), ...operationHandlers } };
  return { apis: [v2, v1], door };
}

function open(world: World, shop: Workshop, options: RunOptions, behind: Behind): Engine {
  const engine = new Engine(world, shop.images, shop, options, behind);
  engine.remembered.endLeftOvers();
  for (const pending of engine.tables.pending.list()) {
    if (pending.target.includes('/executions/')) carryOutExecution(engine, pending);
    else carryOut(engine, pending);
  }
  for (const service of engine.tables.services.list()) engine.settle(service);
  return engine;
}
