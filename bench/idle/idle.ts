import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openHome } from '../../test/support/evenkeel-home.ts';
import { waitFor } from '../../test/support/wait.ts';
import { freePort } from '../../test/support/free-port.ts';
import { largest, median, rounded } from '../report/figures.ts';
import type { Bench, Row } from '../report/row.ts';
import { memoryOf, processorSeconds } from './memory.ts';
import { SERVICES, writeProject } from './services.ts';

/** Forty services run, and nobody asks them anything: what does evenkeel itself take, and how quickly does it answer? */
export async function idleRows({ quick, folder, signal, say, onEnd }: Bench): Promise<Row[]> {
  const base = join(folder, 'idle');
  mkdirSync(base);
  const root = join(base, 'forty');
  const language = writeProject(root, await freePort());
  const system = openHome(base);
  onEnd(() => system.stop());
  await system.start();
  const began = performance.now();
  const up = await system.deploy(root);
  await system.reach(up, ({ phase, end }) => phase === 'watching' || end !== null, 'forty services to be up', 180_000);
  const upSeconds = (performance.now() - began) / 1000;
  await waitFor(
    async () => {
      const services = (await system.status()).environments[0]?.services ?? [];
      return services.length === SERVICES && services.every(({ health }) => health === 'healthy');
    },
    { what: 'forty healthy services', timeout: 60_000 },
  );
  say(`${SERVICES} services in ${language} are up after ${upSeconds.toFixed(1)} s`);

  // The start's garbage is gone, and the telemetry has been written several times.
  await sleep(quick ? 3_000 : 30_000, undefined, { signal });
  const { keeper, controller, edge } = await system.keeperInfo();
  const pids = [keeper, controller, edge].map((each) => each?.pid ?? 0);
  const before = pids.map(processorSeconds);
  const watched = quick ? 6 : 30;
  await sleep(watched * 1000, undefined, { signal });
  const used = pids.map((pid, i) => ((processorSeconds(pid) - (before[i] ?? 0)) / watched) * 100);
  const memory = memoryOf(pids);
  const [ofKeeper = 0, ofController = 0, ofEdge = 0] = memory.own;
  const [cpuKeeper = 0, cpuController = 0, cpuEdge = 0] = used;
  const cpu = used.reduce((sum, each) => sum + each, 0);
  say(`${rounded(memory.alone)} MB, ${rounded(cpu)} % of a core`);

  const walls: number[] = [];
  for (let i = quick ? 6 : 21; i > 0 && !signal.aborted; i--) {
    const { code, ms, stdout, stderr } = await system.cli(['status'], { cwd: root });
    if (code !== 0 || !stdout.includes('s40')) throw new Error(`status: exit code ${code}: ${stderr}${stdout}`);
    walls.push(ms);
  }
  walls.shift(); // the first one fills the caches of a new machine
  const asked = await apiMilliseconds(() => system.status(), quick ? 5 : 20);
  return [
    {
      id: 'status-40',
      what: `\`evenkeel status\` with ${SERVICES} services, wall`,
      budget: '<= 300 ms',
      measured: median(walls),
      unit: 'ms',
      ok: median(walls) <= 300,
      detail: `median of ${walls.length}, largest ${rounded(largest(walls))} ms; the controller's part ${rounded(asked)} ms`,
      figures: { median: median(walls), largest: largest(walls), controller: asked },
    },
    {
      id: 'memory-40',
      what: `keeper, controller and edge, ${SERVICES} services, idle`,
      budget: '<= 220 MB',
      measured: memory.alone,
      unit: 'MB',
      ok: memory.alone <= 220,
      detail:
        `shared files counted once, other programs' share not taken off (PSS as the kernel divides it here ${rounded(memory.pss)}, RSS ${rounded(memory.rss)}); ` +
        `private: keeper ${rounded(ofKeeper)}, controller ${rounded(ofController)}, edge ${rounded(ofEdge)}; the services are in ${language}`,
      figures: { alone: memory.alone, pss: memory.pss, rss: memory.rss, ofKeeper, ofController, ofEdge },
    },
    {
      id: 'cpu-40',
      what: `the same, processor over ${watched} s, health checks every 2 s`,
      budget: 'no bound',
      measured: cpu,
      unit: '% of a core',
      ok: null,
      detail: `keeper ${rounded(cpuKeeper)}, controller ${rounded(cpuController)}, edge ${rounded(cpuEdge)}`,
      figures: { cpu, cpuKeeper, cpuController, cpuEdge, upSeconds },
    },
  ];
}

async function apiMilliseconds(ask: () => Promise<unknown>, times: number): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await ask();
    taken.push(performance.now() - began);
  }
  return median(taken);
}
