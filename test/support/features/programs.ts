/**
 * A server that answers its service and release on `/`, its environment on `/env`, and what another service answers on
 * `/via` (its address is in UPSTREAM). `extra` may add to `paths`, and may replace `health`.
 */
export const server = (version: string, extra = ''): string => `
const { createServer } = require('node:http');
const paths = {
  '/health': (request, response) => health(request, response),
  '/env': (request, response) => response.end(JSON.stringify(process.env)),
  '/via': async (request, response) => response.end(await (await fetch(process.env.UPSTREAM)).text()),
};
let health = (request, response) => response.end('well');
${extra}
const server = createServer((request, response) => {
  response.setHeader('x-app-version', '${version}');
  const path = Object.keys(paths).find((each) => request.url.endsWith(each));
  if (path !== undefined) paths[path](request, response);
  else response.end(process.env.EVENKEEL_SERVICE + ' ${version}');
}).listen(process.env.PORT, process.env.HOST);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

/** A worker that adds a line to the file \`seen\` in its data folder when it starts and when it is told to stop. */
export const worker = (version: string, extra = ''): string => `
const { appendFileSync } = require('node:fs');
const note = (what) => appendFileSync('kept/seen', what + ' ${version} ' + process.pid + ' ' + Date.now() + '\\n');
note('start');
console.log('worker ${version} works');
const working = setInterval(() => {}, 1000);
process.on('SIGTERM', () => { note('stop'); clearInterval(working); });
${extra}
`;

export const HEALTH = 'health: { path: /health, interval: 100ms, grace: 100ms, deadline: 20s }';
