/**
 * Runs a load in a process of its own, until SIGTERM, SIGINT, the end of its time, or (with --stop-with-stdin) the end
 * of its standard input; then prints the report. The secret for tokens comes from LOAD_JWT_SECRET.
 *
 *   node test/support/load/main.ts --target 127.0.0.1:8080 --scale 0.5 --seconds 30
 *
 * --json prints one JSON line for each event: {"type":"started"}, with --progress {"type":"progress",...} every
 * second, and {"type":"report","report":{...}} at the end. Exit code 1 if anything failed.
 */
import { parseArgs } from 'node:util';
import { startLoad } from './load.ts';
import { standardLoad, withDefaults } from './options.ts';
import type { LoadOptions } from './options.ts';
import type { LoadReport } from './report.ts';

const { values: flags } = parseArgs({
  options: {
    target: { type: 'string' },
    'host-header': { type: 'string' },
    scale: { type: 'string', default: '1' },
    rate: { type: 'string' },
    sessions: { type: 'string' },
    seconds: { type: 'string', default: '600' },
    'expect-bad': { type: 'string', multiple: true, default: [] },
    options: { type: 'string', default: '{}' },
    'stop-with-stdin': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    progress: { type: 'boolean', default: false },
  },
});

const load = await startLoad(readOptions());
print({ type: 'started' }, 'under load');
const progress = flags.progress ? setInterval(() => printProgress(load.snapshot()), 1000) : undefined;

await told();
clearInterval(progress);
const report = await load.stop();
print({ type: 'report', report }, JSON.stringify({ ...report, timeline: undefined }, null, 2));
process.exitCode = report.failed === 0 ? 0 : 1;

function readOptions(): LoadOptions {
  const [host = '', port] = (flags.target ?? '').split(':');
  const given = JSON.parse(flags.options) as Partial<LoadOptions>;
  const hostHeader = flags['host-header'];
  const target = {
    ...(given.target ?? { host, port: Number(port) }),
    ...(hostHeader === undefined ? {} : { hostHeader }),
  };
  if (target.host === '' || !(target.port > 0)) {
    console.error('load: name the target: --target 127.0.0.1:8080');
    process.exit(2);
  }
  const secret = process.env['LOAD_JWT_SECRET'];
  const overrides: Partial<LoadOptions> = {
    expectBadVersions: flags['expect-bad'],
    ...(flags.rate === undefined ? {} : { rate: Number(flags.rate) }),
    ...(flags.sessions === undefined ? {} : { sessions: Number(flags.sessions) }),
    ...(secret === undefined ? {} : { jwtSecret: secret }),
    ...given,
    target,
  };
  const { mix } = overrides;
  if (mix) return withDefaults({ ...overrides, target, mix });
  return standardLoad(target, Number(flags.scale), overrides);
}

function told(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, Number(flags.seconds) * 1000);
    function done() {
      clearTimeout(timer);
      process.stdin.destroy();
      resolve();
    }
    process.once('SIGTERM', done);
    process.once('SIGINT', done);
    // A parent that was killed cannot send a signal, but its end of the pipe closes.
    if (flags['stop-with-stdin']) process.stdin.on('end', done).resume();
  });
}

function printProgress({ requests, failed, badRelease, timeline }: LoadReport): void {
  const last = timeline.at(-2) ?? timeline.at(-1);
  print(
    { type: 'progress', at: Date.now(), requests, failed, badRelease, last },
    `${requests} requests, ${failed} failed, ${JSON.stringify(last?.versions ?? {})}`,
  );
}

function print(event: object, text: string): void {
  console.log(flags.json ? JSON.stringify(event) : text);
}
