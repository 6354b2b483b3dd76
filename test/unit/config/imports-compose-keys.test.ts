import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { drafted } from './drafted.ts';

/** A value of every key that a service of a compose file may have, as somebody would write it. */
const KEYS: Record<string, unknown> = {
  annotations: { team: 'a' },
  attach: false,
  blkio_config: { weight: 300 },
  cap_add: ['NET_ADMIN'],
  cap_drop: ['ALL'],
  cgroup: 'host',
  cgroup_parent: 'm-executor-abcd',
  command: 'node other.js',
  configs: ['app_config'],
  container_name: 'web_1',
  cpu_count: 2,
  cpu_percent: 50,
  cpu_period: 100_000,
  cpu_quota: 50_000,
  cpu_shares: 512,
  cpus: 0.5,
  cpuset: '0-1',
  credential_spec: { file: 'c.json' },
  depends_on: ['elsewhere'],
  deploy: { resources: { limits: { memory: '256M' } } },
  develop: { watch: [{ action: 'sync', path: '.', target: '/app' }] },
  device_cgroup_rules: ['c 1:3 mr'],
  devices: ['/dev/ttyUSB0:/dev/ttyUSB0'],
  dns: '8.8.8.8',
  dns_opt: ['use-vc'],
  dns_search: 'example.com',
  domainname: 'example.com',
  driver_opts: { a: 'b' },
  entrypoint: ['node', 'entry.js'],
  env_file: 'app.env',
  environment: { LEVEL: 'debug' },
  expose: ['3000'],
  external_links: ['redis'],
  extra_hosts: ['a:10.0.0.1'],
  gpus: 'all',
  group_add: ['mail'],
  healthcheck: { test: ['CMD', 'curl', '-f', 'http://localhost:3000/up'] },
  hostname: 'web',
  image: 'registry.example/web:1',
  init: true,
  ipc: 'host',
  isolation: 'default',
  labels: ['a.b=c'],
  label_file: './labels',
  links: ['elsewhere'],
  logging: { driver: 'json-file' },
  mac_address: '02:42:ac:11:65:43',
  mem_limit: '512m',
  mem_reservation: '256m',
  mem_swappiness: 10,
  memswap_limit: '1g',
  network_mode: 'host',
  networks: ['front'],
  oom_kill_disable: true,
  oom_score_adj: 100,
  pid: 'host',
  pids_limit: 100,
  platform: 'linux/amd64',
  ports: ['8000:3000'],
  post_start: [{ command: './x' }],
  pre_stop: [{ command: './x' }],
  privileged: true,
  profiles: ['debug'],
  provider: { type: 'a' },
  pull_policy: 'always',
  read_only: true,
  restart: 'on-failure',
  runtime: 'runc',
  scale: 3,
  secrets: ['db_password'],
  security_opt: ['no-new-privileges:true'],
  shm_size: '64m',
  stdin_open: true,
  stop_grace_period: '20s',
  stop_signal: 'SIGINT',
  storage_opt: { size: '1G' },
  sysctls: { 'net.core.somaxconn': 1024 },
  tmpfs: '/run',
  tty: true,
  ulimits: { nofile: 20_000 },
  use_api_socket: true,
  user: '1000:1000',
  userns_mode: 'host',
  uts: 'host',
  volumes: ['files:/files'],
  volumes_from: ['other'],
  working_dir: '/srv/elsewhere',
  a_key_of_tomorrow: 1,
};

/** `restart: always` is what evenkeel does anyway, and what begins with `x-` compose does not read either. */
test.each(Object.entries(KEYS))('`%s` is carried over, or named', async (key, value) => {
  const files = { Dockerfile: 'FROM node\nWORKDIR /app\nCMD ["node", "web.js"]\n', 'app.env': 'LEVEL=debug\n' };
  const compose = (service: object): string =>
    stringify({ name: 'same', services: { app: { build: '.', ...service }, web: { build: '.' } } });
  const without = await drafted({ ...files, 'compose.yaml': compose({}) });
  const withKey = await drafted({ ...files, 'compose.yaml': compose({ [key]: value }) });
  const told = withKey.notes.split('\n').filter((note) => !without.notes.includes(note));
  const isCarried = withKey.yaml !== without.yaml;
  expect(isCarried || told.some((note) => note.includes('app'))).toBe(true);
});

test.each([
  ['args', ['VERSION=1']],
  ['cache_from', ['a']],
  ['secrets', ['npm']],
  ['ssh', ['default']],
  ['network', 'host'],
])('`%s` of `build` is named', async (key, value) => {
  const { notes } = await drafted({
    Dockerfile: 'FROM node\nCMD ["node", "web.js"]\n',
    'compose.yaml': stringify({ services: { app: { build: { context: '.', [key]: value } } } }),
  });
  expect(notes).toContain('`app`');
  expect(notes).toMatch(key === 'args' ? /`VERSION`/ : new RegExp(`\`${key}\``));
});

test('two drafts of the same are the same, so that a difference above comes from the key', async () => {
  const compose = stringify({ name: 'same', services: { web: { build: '.', 'x-note': 1 } } });
  const files = { Dockerfile: 'FROM node\nCMD ["node", "web.js"]\n', 'compose.yaml': compose };
  const [one, other] = [await drafted(files), await drafted(files)];
  expect([one.yaml, one.notes]).toEqual([other.yaml, other.notes]);
});
