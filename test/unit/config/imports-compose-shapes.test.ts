import { expect, test } from 'vitest';
import { drafted, type Written } from './drafted.ts';

interface Shape {
  /** The compose file, or several files. */
  from: string | Record<string, string>;
  /** What the services of the draft must hold at least; a missing name must not be there. */
  has?: Record<string, Written>;
  /** Names that must not become services. */
  without?: string[];
  /** What the notes must say. */
  notes?: string[];
  silent?: string[];
  secrets?: string[];
}

const DOCKERFILE = 'FROM node:24 AS base\nWORKDIR /app\nFROM base\nCOPY . .\nCMD ["node", "server.js"]\n';
const inService = (text: string): string => `services:\n  web:\n    build: .\n${text.replaceAll(/^/gm, '    ')}\n`;

const SHAPES: Record<string, Shape> = {
  'env_file: one': {
    from: { 'compose.yaml': inService('env_file: .env'), '.env': 'LEVEL=debug\nAPI_KEY=hunter2\n' },
    has: { web: { env: { LEVEL: '${LEVEL:-}', API_KEY: '${API_KEY}' } } },
    secrets: ['API_KEY'],
    silent: ['hunter2', 'move its lines'],
  },
  'env_file: a list, of which one is elsewhere': {
    from: {
      'compose.yaml': inService('env_file: [.env, ./config/app.env]'),
      '.env': 'A=1\n',
      'config/app.env': 'B=2\n',
    },
    has: { web: { env: { A: '${A:-}', B: '${B:-}' } } },
    notes: ['config/app.env of `web`: move its lines (B) to .env'],
  },
  'env_file: long, not required and not there': {
    from: inService('env_file:\n  - path: ./local.env\n    required: false\n    format: raw'),
    notes: ['local.env of `web` is not there'],
  },
  'env_file: the same name in two of them': {
    from: {
      'compose.yaml':
        'services:\n  web: { build: ., env_file: a.env }\n  mail: { build: ., command: node m.js, env_file: b.env }\n',
      'a.env': 'HOST_NAME=a\n',
      'b.env': 'HOST_NAME=b\n',
    },
    notes: ['HOST_NAME is in a.env and in b.env'],
  },
  'environment: a list, with and without values': {
    from: inService('environment:\n  - A=1\n  - B=x=y\n  - FROM_HOST'),
    has: { web: { env: { A: '1', B: 'x=y', FROM_HOST: '${FROM_HOST:-}' } } },
  },
  'environment: a map with numbers, yes/no and nothing': {
    from: inService('environment: { N: 5, T: true, E: "", H: }'),
    has: { web: { env: { N: '5', T: 'true', E: '', H: '${H:-}' } } },
  },
  'environment: secrets by name and by value': {
    from: inService('environment:\n  SMTP_PASS: hunter2\n  CACHE: redis://u:hunter2@cache/1'),
    has: { web: { env: { SMTP_PASS: '${SMTP_PASS}', CACHE: '${CACHE}' } } },
    secrets: ['SMTP_PASS', 'CACHE'],
    silent: ['hunter2'],
  },
  'environment: PORT': { from: inService('environment: { PORT: 3000 }'), notes: ['PORT of `web` is left out'] },
  'environment: a secret in small letters': {
    from: inService('environment: { db_password: hunter2 }'),
    has: { web: { env: { db_password: '${DB_PASSWORD}' } } },
    secrets: ['DB_PASSWORD'],
    silent: ['hunter2'],
  },
  'anchors, merge keys and x- extensions': {
    from: [
      'x-common: &common',
      '  build: .',
      '  environment: &env { LEVEL: info }',
      'services:',
      '  web: { <<: *common, ports: ["80:3000"] }',
      '  mail:',
      '    <<: *common',
      '    command: node mail.js',
      '    environment: { <<: *env, QUEUE: mail }',
    ].join('\n'),
    has: { web: { env: { LEVEL: 'info' } }, mail: { run: 'node mail.js', env: { LEVEL: 'info', QUEUE: 'mail' } } },
    silent: ['x-common'],
  },
  'merge keys: a list of anchors': {
    from: 'x-a: &a { build: . }\nx-b: &b { environment: { B: "2" } }\nservices:\n  web: { <<: [*a, *b] }\n',
    has: { web: { run: 'node server.js', env: { B: '2' } } },
  },
  profiles: {
    from: 'services:\n  web: { build: . }\n  seed: { build: ., profiles: [tools], command: node seed.js }\n',
    without: ['seed'],
    notes: ['`seed` belongs to the profile `tools` and is left out'],
  },
  'depends_on: a list': {
    from: 'services:\n  web: { build: ., depends_on: [api, db] }\n  api: { build: . }\n  db: { image: postgres:16 }\n',
    has: { web: { after: ['api'] } },
    notes: ['`web` does not wait for `db`'],
  },
  'depends_on: a map with conditions': {
    from: 'services:\n  web: { build: ., depends_on: { api: { condition: service_healthy, restart: true } } }\n  api: { build: . }\n',
    has: { web: { after: ['api'] } },
  },
  'depends_on: what must have run becomes the migration': {
    from: 'services:\n  web: { build: ., depends_on: { setup: { condition: service_completed_successfully } } }\n  setup: { build: ., command: npm run setup, restart: "no", environment: { MODE: up } }\n',
    has: { web: { migrate: 'npm run setup', env: { MODE: 'up' } } },
    without: ['setup'],
    notes: ['`setup` became the `migrate` of `web`'],
  },
  'depends_on: what must have run, from another folder': {
    from: {
      'compose.yaml':
        'services:\n  web: { build: ., depends_on: { setup: { condition: service_completed_successfully } } }\n  setup: { build: ./tools, command: ./setup }\n',
      'tools/Dockerfile': 'FROM alpine\n',
    },
    without: ['setup'],
    notes: ['write its command under `migrate`'],
  },
  'depends_on: each other': {
    from: 'services:\n  a: { build: ., depends_on: [b] }\n  b: { build: ., depends_on: [a] }\n',
    notes: ['wait for each other'],
  },
  'links with an alias': {
    from: 'services:\n  web: { build: ., links: ["api:backend"] }\n  api: { build: . }\n',
    has: { web: { after: ['api'] } },
  },
  'healthcheck: CMD, with times': {
    from: inService(
      'ports: ["80:3000"]\nhealthcheck:\n  test: ["CMD", "curl", "-f", "http://localhost:3000/health"]\n  interval: 30s\n  timeout: 3s\n  retries: 3\n  start_period: 1m30s',
    ),
    has: { web: { health: { path: '/health', grace: '90s', deadline: '150s', timeout: '3s' } } },
    notes: ['`interval`, `retries`'],
  },
  'healthcheck: CMD-SHELL': {
    from: inService(
      'ports: ["80:3000"]\nhealthcheck: { test: ["CMD-SHELL", "wget -qO- http://127.0.0.1:3000/up || exit 1"] }',
    ),
    has: { web: { health: '/up' } },
  },
  'healthcheck: with a query': {
    from: inService(
      'ports: ["80:3000"]\nhealthcheck: { test: "curl -f http://localhost:3000/up?full=1&x=a || exit 1" }',
    ),
    has: { web: { health: '/up?full=1&x=a' } },
  },
  'variables where none can be kept': {
    from: {
      'compose.yaml': inService(
        'deploy: { replicas: "${COPIES:-2}" }\nlabels: ["traefik.http.routers.w.rule=Host(`${NAME}.example.com`)"]',
      ),
      '.env': 'NAME=shop\n',
    },
    has: { web: { instances: 2, routes: ['shop.example.com'] } },
    notes: ['`${COPIES:-2}` was filled in', '(Host(`shop.example.com`))'],
  },
  'healthcheck: a line, to its own name': {
    from: inService('ports: ["80:3000"]\nhealthcheck: { test: curl --fail http://web:3000/ready }'),
    has: { web: { health: '/ready' } },
  },
  'healthcheck: NONE': {
    from: inService('healthcheck: { test: ["NONE"] }'),
    notes: ['healthcheck of `web` is switched off'],
  },
  'healthcheck: disable': {
    from: inService('healthcheck: { disable: true }'),
    notes: ['healthcheck of `web` is switched off'],
  },
  'healthcheck: no http': {
    from: inService('healthcheck: { test: ["CMD", "pg_isready"] }'),
    notes: ['healthcheck of `web` is no http request'],
  },
  'healthcheck: of a worker': {
    from: inService('healthcheck: { test: ["CMD", "curl", "http://localhost:1/up"] }'),
    notes: ['`web` has no routes, so its healthcheck (/up) is left out'],
  },
  'volumes: named, below the folder of the program': {
    from: `${inService('volumes: ["files:/app/storage"]')}volumes: { files: }\n`,
    has: { web: { data: ['storage'] } },
    notes: ['copy there what the volume files holds'],
  },
  'volumes: named, elsewhere': {
    from: inService('volumes: ["files:/var/files"]'),
    notes: ['the volumes of `web` are not carried over (files:/var/files)'],
  },
  'volumes: bound folders, the sources and read-only': {
    from: inService('volumes:\n  - .:/app\n  - ./uploads:/app/uploads\n  - ./nginx.conf:/app/nginx.conf:ro'),
    has: { web: { data: ['uploads'] } },
    notes: ['sources mounted (.:/app)', 'copy there what ./uploads holds', './nginx.conf:/app/nginx.conf'],
  },
  'volumes: without a name': {
    from: inService('volumes: [/app/node_modules]'),
    notes: ['needs no volume at node_modules'],
  },
  'volumes: long': {
    from: inService(
      'volumes:\n  - { type: volume, source: files, target: /app/storage, volume: { nocopy: true } }\n  - { type: bind, source: /etc/tls, target: /tls, read_only: true }\n  - { type: tmpfs, target: /scratch }',
    ),
    has: { web: { data: ['storage'] } },
    notes: ['/etc/tls:/tls', 'the tmpfs /scratch'],
  },
  'volumes: one inside the other': {
    from: inService('volumes: ["a:/app/storage", "b:/app/storage/deep"]'),
    has: { web: { data: ['storage'] } },
  },
  tmpfs: { from: inService('tmpfs: [/run, "/tmp:size=64m"]'), notes: ['the tmpfs /run', 'the tmpfs /tmp'] },
  'top-level volumes and networks that are elsewhere': {
    from: `${inService('networks: [front]')}networks: { front: { external: true } }\nvolumes: { v: { driver: nfs } }\n`,
    notes: ['`volumes.v`, `networks.front`', '`web` needs no `networks`'],
  },
  'build: a folder': {
    from: { 'compose.yaml': 'services:\n  api: { build: ./api }\n', 'api/Dockerfile': 'FROM node\nCMD node api.js\n' },
    has: { api: { dir: 'api', run: 'node api.js' } },
  },
  'build: another Dockerfile, a stage, arguments': {
    from: {
      'compose.yaml': 'services:\n  api: { build: { context: ., dockerfile: docker/Api, target: dev, args: [V=1] } }\n',
      'docker/Api': 'FROM node AS dev\nCMD ["node", "dev.js"]\nFROM node\nCMD ["node", "prod.js"]\n',
    },
    has: { api: { run: 'node dev.js' } },
    notes: ['the build arguments `V` of `api`'],
  },
  'build: a Dockerfile inside': {
    from: 'services:\n  api:\n    build:\n      dockerfile_inline: |\n        FROM node\n        CMD ["node", "inline.js"]\n',
    has: { api: { run: 'node inline.js' } },
  },
  'build: outside, or from the web': {
    from: 'services:\n  web: { build: . }\n  a: { build: ../a }\n  b: { build: "https://example.com/repo.git" }\n',
    without: ['a', 'b'],
    notes: ['the folder of `a` is not inside', 'the folder of `b` is not inside'],
  },
  'build shared by its image': {
    from: 'services:\n  web: { build: ., image: app, ports: ["80:3000"] }\n  mail: { image: app, command: node mail.js }\n',
    has: { mail: { run: 'node mail.js' } },
  },
  'extends: same file': {
    from: 'services:\n  base: { build: ., environment: { A: "1", B: "1" }, profiles: [never] }\n  web: { extends: base, profiles: [], environment: { B: "2" } }\n  api: { extends: { service: base }, profiles: [] }\n',
    notes: ['`web` belongs to', '`api` belongs to'],
    without: ['base'],
  },
  'extends: another file': {
    from: {
      'compose.yaml':
        'services:\n  web:\n    extends: { file: common/base.yml, service: app }\n    environment: { B: "2" }\n',
      'common/base.yml': 'services:\n  app:\n    build: ./app\n    environment: [A=1, B=1]\n    env_file: app.env\n',
      'common/app.env': 'C=3\n',
      'common/app/Dockerfile': 'FROM node\nCMD ["node", "common.js"]\n',
    },
    has: { web: { dir: 'common/app', run: 'node common.js', env: { A: '1', B: '2', C: '${C:-}' } } },
  },
  'extends: what is not there': {
    from: inService('extends: { service: ghost }'),
    notes: ['`web` extends `ghost`, which is not to be found'],
  },
  include: {
    from: {
      'compose.yaml':
        'include:\n  - infra/compose.yaml\n  - path: more.yaml\nservices:\n  web: { build: ., depends_on: [api] }\n',
      'infra/compose.yaml': 'services:\n  api: { build: ./api }\n',
      'infra/api/Dockerfile': 'FROM node\nCMD ["node", "infra.js"]\n',
      'more.yaml': 'services:\n  cache: { image: redis:7 }\n',
    },
    has: { web: { after: ['api'] }, api: { dir: 'infra/api', run: 'node infra.js' } },
    notes: ['start `cache` (redis:7)'],
  },
  'include: what is not there': {
    from: `include: [gone.yaml]\n${inService('restart: always')}`,
    notes: ['gone.yaml is not inside this folder'],
  },
  'compose.override.yaml': {
    from: {
      'compose.yaml': inService('environment: { A: "1" }\nports: ["80:3000"]'),
      'compose.override.yaml':
        'services:\n  web:\n    command: npm run dev\n    environment: [B=2]\n    ports: ["9229:9229"]\n',
      'compose.prod.yaml': 'services: {}\n',
    },
    has: { web: { run: 'npm run dev', env: { A: '1', B: '2' } } },
    notes: ['compose.override.yaml was put over it', 'compose.prod.yaml is not read', 'several ports'],
  },
  'ports: short, bound, a range, long': {
    from: inService(
      'ports:\n  - "3000"\n  - "127.0.0.1:8000:3000"\n  - "9000-9001:9000-9001"\n  - { target: 3000, published: "443", protocol: tcp, mode: host }',
    ),
    has: { web: { routes: ['/'] } },
    notes: ['3000, 127.0.0.1:8000:3000, 9000-9001:9000-9001, 443:3000', 'several ports'],
  },
  'ports: a number': { from: inService('ports: [3000]'), has: { web: { routes: ['/'] } }, notes: ['reached by 3000'] },
  'ports: udp': {
    from: inService('ports: ["53:53/udp", { target: 54, protocol: udp }]'),
    notes: ['evenkeel serves no UDP: 53:53/udp, 54 of `web`'],
  },
  'ports: of a variable': { from: inService('ports: ["${WEB_PORT:-8080}:3000"]'), has: { web: { routes: ['/'] } } },
  expose: { from: inService('expose: ["3000"]'), notes: ['`web` needs no `expose`'] },
  'command: a list': {
    from: inService('command: ["node", "a b.js", "--x=1"]'),
    has: { web: { run: "node 'a b.js' --x=1" } },
  },
  'command: sh -c': { from: inService('command: ["sh", "-c", "a && b"]'), has: { web: { run: 'a && b' } } },
  'command: a block': {
    from: inService('command: >\n  node server.js\n  --verbose'),
    has: { web: { run: 'node server.js --verbose' } },
  },
  'command: given to the entrypoint of the image': {
    from: {
      'compose.yaml': inService('command: ["worker"]'),
      Dockerfile: 'FROM node\nENTRYPOINT ["./entry"]\nCMD ["web"]\n',
    },
    has: { web: { run: './entry worker' } },
  },
  'entrypoint: takes the command of the image away': {
    from: inService('entrypoint: ./start'),
    has: { web: { run: './start' } },
  },
  'command: a fixed port': {
    from: inService('ports: ["80:3000"]\ncommand: gunicorn app --bind 0.0.0.0:3000'),
    notes: ['`web` seems to listen on 3000'],
  },
  'working_dir: below': {
    from: { 'compose.yaml': inService('working_dir: /app/server'), 'server/x': '' },
    has: { web: { dir: 'server' } },
  },
  'working_dir: elsewhere': { from: inService('working_dir: /srv'), notes: ['`working_dir: /srv` of `web`'] },
  'an image and the sources mounted': {
    from: 'services:\n  web:\n    image: node:24\n    working_dir: /app\n    volumes: [".:/app", "/app/node_modules"]\n    command: npm run dev\n    ports: ["3000:3000"]\n',
    has: { web: { run: 'npm run dev', routes: ['/'] } },
    notes: ['`web` ran in the image node:24'],
  },
  'user and restart': {
    from: inService('user: "1000"\nrestart: on-failure:3'),
    notes: ['`user` of `web`', '`restart: on-failure:3` of `web`'],
  },
  'deploy: replicas and limits': {
    from: inService(
      'deploy:\n  replicas: 3\n  resources: { limits: { cpus: "0.50", memory: 512M, pids: 10 }, reservations: { memory: 128M } }\n  restart_policy: { condition: any }\n  update_config: { order: start-first }',
    ),
    has: { web: { instances: 3, resources: { memory: '512Mi', cpu: 0.5 } } },
    notes: ['restart_policy, update_config, resources.reservations, resources.limits.pids'],
  },
  'scale, mem_limit, cpus, stop_grace_period': {
    from: inService('scale: 2\nmem_limit: 1gb\ncpus: 1.5\nstop_grace_period: 1m30s'),
    has: { web: { instances: 2, resources: { memory: '1Gi', cpu: 1.5 }, stopGrace: '90s' } },
  },
  'limits that cannot be': {
    from: inService('scale: 1000\nmem_limit: lots\ncpus: 0.001'),
    notes: ['`replicas` of `web`', '`memory` of `web`', '`cpus` of `web`'],
  },
  'secrets: short and long': {
    from: `${inService('secrets:\n  - db_password\n  - { source: api-key, target: key, mode: 0400 }')}secrets: { db_password: { file: ./x }, api-key: { environment: K } }\n`,
    has: { web: { env: { DB_PASSWORD: '${DB_PASSWORD}', API_KEY: '${API_KEY}' } } },
    secrets: ['DB_PASSWORD', 'API_KEY'],
    notes: ['are no files in /run/secrets here'],
  },
  configs: {
    from: `${inService('configs: [app]')}configs: { app: { file: ./app.conf } }\n`,
    notes: ['`configs` of `web`'],
  },
  logging: { from: inService('logging: { driver: json-file, options: { max-size: 10m } }'), notes: ['evenkeel logs'] },
  'labels: rules of Traefik, a list': {
    from: inService(
      'labels:\n  - traefik.enable=true\n  - "traefik.http.routers.web.rule=Host(`shop.example.com`) && PathPrefix(`/api`)"\n  - traefik.http.routers.web.tls.certresolver=le',
    ),
    has: { web: { routes: ['shop.example.com/api'] } },
    notes: ['traefik.enable, traefik.http.routers.web.tls.certresolver'],
  },
  'labels: two hosts, a map': {
    from: inService('labels: { "traefik.http.routers.w.rule": "Host(`a.example.com`, `b.example.com`)" }'),
    has: { web: { routes: ['a.example.com', 'b.example.com'] } },
  },
  'labels: a rule without an equal': {
    from: inService('labels: { "traefik.http.routers.w.rule": "HostRegexp(`.+`) || Headers(`a`, `b`)" }'),
    notes: ['the rule of Traefik'],
  },
  'labels: one rule twice': {
    from: 'services:\n  a: { build: ., labels: ["traefik.http.routers.a.rule=Host(`x.example.com`)"] }\n  b: { build: ., labels: ["traefik.http.routers.b.rule=Host(`x.example.com`)"] }\n',
    notes: ['x.example.com belongs to two services'],
  },
  'interpolation: every form': {
    from: {
      'compose.yaml': inService(
        [
          'environment:',
          '  A: $A-${B}',
          '  C: ${C:-c}',
          '  D: ${D-d}',
          '  E: ${E:?must be set}',
          '  F: ${F:?must be set}',
          '  G: ${G:+yes}',
          '  H: ${H:-${I:-deep}}',
          '  J: $$5 and $${K}',
          '  L: "{ ${M:-{}} }"',
        ].join('\n'),
      ),
      '.env': 'F=1\n',
    },
    has: {
      web: {
        env: {
          A: '${A:-}-${B:-}',
          C: '${C:-c}',
          D: '${D:-d}',
          E: '${E:-}',
          F: '${F}',
          G: '',
          H: '${H:-deep}',
          J: '$5 and $${K}',
          L: '{ ${M:-} }',
        },
      },
    },
    notes: ['default of D', 'needs E', '${G:+...}', 'default of H held a variable', 'default of M holds a brace'],
  },
  'interpolation: a secret in a value and in a command': {
    from: inService('environment: { HEADER: "Bearer ${API_TOKEN}" }\ncommand: ["node", "x.js", "${OTHER_SECRET}"]'),
    has: {
      web: {
        run: 'node x.js "$OTHER_SECRET"',
        env: { HEADER: 'Bearer ${API_TOKEN}', OTHER_SECRET: '${OTHER_SECRET}' },
      },
    },
  },
  'interpolation: for the shell of the command': {
    from: inService('command: sh -c "exec node $$FILE $${OTHER} -p ${PORT:-3000}"'),
    has: { web: { run: 'sh -c "exec node $FILE $${OTHER} -p ${PORT}"' } },
  },
  'databases and other images': {
    from: [
      'services:',
      '  web: { build: ., environment: { REDIS_URL: "redis://cache:6379", API: "http://other:80/x" } }',
      '  db: { image: "postgis/postgis:16-3.4", environment: { POSTGRES_PASSWORD: hunter2 }, volumes: ["d:/x"] }',
      '  cache: { image: "redis:7-alpine" }',
      '  sql: { image: "mysql:${V:-8.4}" }',
      '  other: { image: traefik@sha256:00 }',
    ].join('\n'),
    without: ['db', 'cache', 'sql', 'other'],
    notes: [
      'start `db` (postgis/postgis:16-3.4) yourself (with what the file says about it: `environment`, `volumes`)',
      'start `sql` (mysql:8.4)',
      '`other` runs the image',
      '`REDIS_URL` of `web` names the host cache',
      '`API` of `web` names the host other',
    ],
    silent: ['hunter2'],
  },
  'services that ask each other': {
    from: 'services:\n  web: { build: ., environment: { API_URL: "http://api:3000/v1", API_HOST: api } }\n  api: { build: . }\n',
    has: { web: { env: { API_URL: '${services.api.url}/v1', API_HOST: 'api' } } },
    notes: ['use ${services.api.url}'],
  },
  'a name, an old version and keys of others': {
    from: `version: "3.8"\nname: Shop\n${inService('restart: always')}models: { llm: { model: x } }\n`,
    notes: ['not carried over: `models`'],
    silent: ['version'],
  },
  'Windows line ends and a byte order mark': {
    from: `\uFEFF${inService('ports:\n  - "80:3000"').replaceAll('\n', '\r\n')}`,
    has: { web: { run: 'node server.js', routes: ['/'] } },
  },
  'tags that put a value in the place of another': {
    from: {
      'compose.yaml': inService('ports: ["80:3000"]'),
      'compose.override.yaml': 'services:\n  web: { ports: !reset [] }\n',
    },
    notes: ['`!reset` and `!override` are not understood'],
  },
  'a command that is a variable without a value': {
    from: 'services:\n  web: { build: ., command: "$WHAT" }\n',
    notes: ['`command` of `web` is empty unless its variables are set'],
  },
  'a service that says nothing': {
    from: 'services:\n  web: { build: . }\n  empty:\n',
    notes: ['`empty` says nothing'],
  },
};

test('there are as many as were promised', () => expect(Object.keys(SHAPES).length).toBeGreaterThanOrEqual(60));

test.each(Object.entries(SHAPES))('%s', async (_, shape) => {
  const files = typeof shape.from === 'string' ? { 'compose.yaml': shape.from } : shape.from;
  const { file, notes, yaml } = await drafted({ Dockerfile: DOCKERFILE, ...files });
  expect(file.services, notes).toMatchObject(shape.has ?? {});
  for (const name of shape.without ?? []) expect(file.services).not.toHaveProperty(name);
  for (const text of shape.notes ?? []) expect(notes).toContain(text);
  for (const text of shape.silent ?? []) expect(notes + yaml).not.toContain(text);
  if (shape.secrets !== undefined) expect(file.secrets).toEqual(shape.secrets);
});
