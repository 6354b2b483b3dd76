import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFiles } from '../system.ts';

/** How long things take where the story is played. */
export interface StoryPace {
  /** The canary's only step, such as `5s`. */
  canary: string;
  /** Until a release has to be healthy, such as `10s`. */
  health: string;
}

export interface StoryPlace {
  /** Of evenkeel; its names in the cloud begin with it. */
  project: string;
  cloudProject: string;
  region: string;
  pace: StoryPace;
}

/** One public service, a private one that it asks, a database, a bucket, and a package that neither needs. */
export const storyFile = ({ project, cloudProject, region, pace }: StoryPlace): string => `project: ${project}
cloud: { project: ${cloudProject}, region: ${region}, urlFile: urls.env }
services:
  api:
    dir: services/api
    run: node main.js
    health: { path: /health, interval: 500ms, deadline: ${pace.health} }
    routes: [/]
    env: { GREETING: hello, TOKEN: "\${JWT_SECRET}", BACK: "\${services.back.url}" }
    rollout: &careful
      canary: [{ weight: 50, for: ${pace.canary} }]
      analysis: { errorRate: "< 5%", p95: false, minRequests: 10 }
      rollbackWindow: 30m
  back:
    dir: services/back
    run: node main.js
    health: { path: /health, interval: 500ms, deadline: ${pace.health} }
    routes: [/back]
    public: false
    rollout: *careful
    database: false
databases:
  main: { engine: postgres, version: 15, extensions: [vector] }
buckets:
  media: { expire: 7d }
secrets: [JWT_SECRET]
environments:
  production: { runtime: cloud-run }
`;

const dockerfile = (service: string): string => `FROM node:24-slim AS build
WORKDIR /app
COPY . .
RUN node -e "require('./services/${service}/main.js')"
FROM node:24-slim
WORKDIR /app
COPY --from=build /app/packages packages
COPY --from=build /app/services/${service} services/${service}
CMD ["node", "services/${service}/main.js"]
`;

/** Answers with what it was given; in what way it is broken is said by a file beside it. */
const PROGRAM = `
const { existsSync } = require('node:fs');
const { createServer } = require('node:http');
const { shared } = require('../../packages/shared/index.js');
const { version, failing, sick, broken } = require('./version.json');
if (broken) throw new Error('cannot be built: ' + version);
const { env } = process;
const told = () => ({
  version,
  shared,
  other: existsSync(__dirname + '/../../packages/other/index.js'),
  greeting: env.GREETING,
  token: env.TOKEN?.length ?? 0,
  bucket: env.GCS_BUCKET_MEDIA,
  socket: env.DATABASE_HOST,
  database: env.DATABASE_URL !== undefined,
  back: env.BACK ?? null,
});
if (require.main === module) {
  createServer((request, response) => {
    const health = request.url === '/health';
    if (request.url === '/back')
      return void fetch(env.BACK).then(
        (answer) => response.end('answered ' + answer.status),
        (error) => response.end(String(error.cause ?? error)),
      );
    response.statusCode = health ? (sick ? 503 : 200) : Math.random() < failing ? 500 : 200;
    response.end(health ? (sick ? 'the model is not loaded' : 'ok') : JSON.stringify(told()));
  }).listen(env.PORT, () => console.log(version + ': it listens'));
  process.on('SIGTERM', () => process.exit(0));
}
`;

export interface Version {
  version: string;
  /** Share of requests that are answered with 500. */
  failing?: number;
  /** Says of itself that it is not well. */
  sick?: boolean;
  /** Its build fails. */
  broken?: boolean;
}

/** What the public service answers. */
export interface Told {
  version: string;
  shared: string;
  other: boolean;
  greeting: string;
  token: number;
  bucket: string;
  socket: string;
  database: boolean;
  back: string;
}

const manifest = (name: string, dependencies: object = {}): string => JSON.stringify({ name, dependencies });

export function writeStory(folder: string, place: StoryPlace): void {
  const needs = { '@story/shared': '*' };
  writeFiles(folder, {
    'evenkeel.yaml': storyFile(place),
    'urls.env': '# ours\nLOG_LEVEL=info\n',
    'package.json': JSON.stringify({ name: 'story', workspaces: ['packages/*', 'services/*'] }),
    'packages/shared/package.json': manifest('@story/shared'),
    'packages/shared/index.js': "exports.shared = 'of both';\n",
    'packages/other/package.json': manifest('@story/other'),
    'packages/other/index.js': "exports.other = 'of neither';\n",
    'services/api/package.json': manifest('@story/api', needs),
    'services/api/main.js': PROGRAM,
    'services/back/package.json': manifest('@story/back', needs),
    'services/back/main.js': PROGRAM,
    '.dockerignore': '.git\n*.env\n',
  });
  for (const service of ['api', 'back']) {
    writeDockerfile(folder, service, dockerfile(service));
    writeVersion(folder, { version: 'v1' }, service);
  }
}

/** Null: as it was. */
export function writeDockerfile(folder: string, service: string, text: string | null): void {
  writeFileSync(join(folder, 'services', service, 'Dockerfile'), text ?? dockerfile(service));
}

export function writeVersion(folder: string, version: Version, service = 'api'): void {
  const { failing = 0, sick = false, broken = false } = version;
  const text = JSON.stringify({ version: version.version, failing, sick, broken });
  writeFileSync(join(folder, 'services', service, 'version.json'), text);
}
