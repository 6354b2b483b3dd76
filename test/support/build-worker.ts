/** A controller's share in a build, to be killed: starts the build that its argument describes and looks on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { processBuilder } from '../../src/drivers/build/process-builder.ts';
import { processJobs } from '../../src/drivers/runtime/process/jobs.ts';
import type { BuildRequest } from '../../src/ports/builder.ts';

const { home, request } = JSON.parse(process.argv[2] ?? '') as { home: string; request: BuildRequest };
const builder = processBuilder({ home, jobs: processJobs({ home }), pollMs: 20 });
await builder.start(request);
process.stdout.write('started\n');
for (let last = ''; ; await sleep(5)) {
  const seen = await builder.observe(request.id);
  const now = seen.state === 'running' ? seen.detail : seen.state;
  if (now !== last) process.stdout.write(`${now}\n`);
  last = now;
}
