/** A controller that does one thing and can be killed while it does: `node runtime-driver.ts WHAT HOME JSON`. */
import { processJobs } from '../../src/drivers/runtime/process/jobs.ts';
import { processRuntime } from '../../src/drivers/runtime/process/runtime.ts';

const [what = '', home = '', json = ''] = process.argv.slice(2);
const value = JSON.parse(json);
const runtime = processRuntime({ home });
if (what === 'start') await runtime.start(value);
if (what === 'stop') await runtime.stop(value.id, value);
if (what === 'job') await processJobs({ home }).start(value);
console.log('done');
setInterval(() => {}, 1000);
