import type { RolloutView } from '../api/contract/rollouts.ts';
import type { ServiceStatus, StatusReply } from '../api/contract/status.ts';
import { formatDuration, formatLatency, formatPercent, formatRate, formatShare, plural } from '../lib/format.ts';
import { progress } from './follow/lines-display.ts';
import { comingCertificates, newReleases, releaseName, waysOn } from './follow/words.ts';
import type { Style } from './screen/style.ts';
import { scheduleLine } from './show-run.ts';
import { table, type Column } from './screen/table.ts';
import { wrap } from './screen/text.ts';

export interface StatusLook {
  style: Style;
  columns: number;
  now: number;
  /** What was asked for, for the answer that there is none. */
  project: string | null;
  environment: string | null;
}

const upCommand = (environment: string | null): string =>
  environment === null || environment === 'development' ? 'evenkeel up' : `evenkeel up --env ${environment}`;

type EnvironmentStatus = StatusReply['environments'][number];

export function statusLines({ server, environments }: StatusReply, look: StatusLook): string[] {
  const { style } = look;
  const lines = environments.flatMap((environment, index) => [
    ...(index === 0 ? [] : ['']),
    ...environmentLines(environment, look),
  ]);
  if (environments.length === 0) {
    lines.push(
      look.project === null
        ? 'Nothing was ever started here.'
        : `Nothing of ${look.project} was ever started ${look.environment === null ? 'here' : `in ${look.environment}`}.`,
      `  ${upCommand(look.environment)}  start it`,
    );
  }
  if (server.storeAwaySince !== undefined)
    lines.push(
      '',
      style.yellow(
        `The store does not answer: releases and rollouts are shown as they were ${formatDuration(look.now - server.storeAwaySince)} ago. \`evenkeel abort\` and \`evenkeel rollback\` work.`,
      ),
    );
  if (server.unwritten !== undefined)
    lines.push(
      style.yellow(
        `${plural(server.unwritten, 'request')} to take back ${server.unwritten === 1 ? 'was' : 'were'} carried out at the edge, and ${server.unwritten === 1 ? 'is' : 'are'} still to be written to the store.`,
      ),
    );
  if (!server.edge) lines.push('', style.yellow('The edge does not answer, so traffic and weights are not known.'));
  return lines;
}

function environmentLines(environment: EnvironmentStatus, look: StatusLook): string[] {
  const { style, columns } = look;
  const { services, rollouts, wanted } = environment;
  const title = `${style.bold(environment.project)} ${style.symbols.dot} ${style.cyan(environment.environment)}`;
  const up = upCommand(environment.environment);
  const state = wanted === 'down' ? style.dim(`  down; \`${up}\` starts it`) : `  ${overall(environment, style)}`;
  return [
    `${title}${state}`,
    ...table(
      COLUMNS,
      services.map((service) => row(service, look)),
      { style, columns, indent: 2 },
    ),
    ...blindLines(environment, look),
    ...services.flatMap((service) => problem(service, look)),
    ...services.flatMap((service) => scheduled(service, look)),
    ...rollouts.flatMap((rollout) => rolloutLines(rollout, look, wanted)),
    ...urlLines(services, look),
    ...tlsLines(environment, look),
    ...closedLines(environment, look),
  ];
}

function blindLines({ environment, blind }: EnvironmentStatus, { style, now }: StatusLook): string[] {
  if (blind === undefined) return [];
  const { why, seenAt } = blind;
  const shown = seenAt === null ? 'and was not before' : `and is shown as it was ${formatDuration(now - seenAt)} ago`;
  return [style.yellow(`  ${environment} is not seen at present, ${shown}: ${why}`)];
}

const COLUMNS: Column[] = [
  { title: 'service' },
  { title: 'release' },
  { title: 'health' },
  { title: 'instances', align: 'right' },
  { title: 'up for', align: 'right', leaveOut: 1 },
  { title: 'restarts', align: 'right', leaveOut: 2 },
  { title: 'requests', align: 'right' },
  { title: 'errors', align: 'right' },
  { title: 'p95', align: 'right' },
  { title: 'traffic', leaveOut: 3 },
];

function row(service: ServiceStatus, { style, now }: StatusLook): string[] {
  const { traffic, weights, release } = service;
  const mine = service.instances.filter((instance) => instance.release === release);
  const restarts = mine.reduce((sum, each) => sum + each.restarts, 0);
  const since = Math.max(0, ...mine.map(({ startedAt }) => startedAt));
  const shares = Object.entries(weights).filter(([, weight]) => weight > 0);
  return [
    service.service,
    release === null ? style.dim('none yet') : releaseName(release, service.label),
    health(service.health, style),
    service.kind === 'static' || service.schedule !== undefined ? '' : instances(service, mine),
    since === 0 ? '' : formatDuration(Math.floor((now - since) / 1000) * 1000),
    restarts === 0 ? '' : style.yellow(String(restarts)),
    traffic === null ? '' : formatRate(traffic.requestsPerSecond),
    shown(traffic?.errorRate, (share) => rate(share, style)),
    shown(traffic?.p95Ms, formatLatency),
    // All traffic on one release is what one expects, and says nothing.
    shares.length < 2 ? '' : shares.map(([name, weight]) => `${name} ${formatPercent(weight)}`).join(', '),
  ];
}

const shown = (value: number | null | undefined, format: (value: number) => string): string =>
  value === null || value === undefined ? '' : format(value);

function instances({ instances: all }: ServiceStatus, mine: ServiceStatus['instances']): string {
  const running = mine.filter(({ state, healthy }) => state === 'running' && healthy !== false).length;
  const others = all.length - mine.length;
  return `${running}/${mine.length}${others > 0 ? ` +${others}` : ''}`;
}

function rate(share: number, style: Style): string {
  const text = formatShare(share);
  return share >= 0.01 ? style.red(text) : text;
}

function health(value: ServiceStatus['health'], style: Style): string {
  switch (value) {
    case 'healthy':
      return style.green('healthy');
    case 'degraded':
      return style.yellow('degraded');
    case 'down':
      return style.red('down');
    case 'stopped':
    case 'unknown':
      return style.dim(value);
  }
}

function overall({ environment, services, rollouts }: EnvironmentStatus, style: Style): string {
  // A first rollout that was taken back leaves nothing behind, which is not well.
  if (services.every(({ release }) => release === null)) {
    const begun = rollouts.some(({ end }) => end === null);
    return style.dim(begun ? 'nothing serves yet' : `nothing serves yet; \`${upCommand(environment)}\` starts it`);
  }
  const wrong = services.filter(({ health }) => health !== 'healthy' && health !== 'stopped');
  if (wrong.length === 0) return style.green(`${style.symbols.done} all healthy`);
  return style.yellow(`${wrong.length} of ${services.length} not healthy`);
}

/** What is wrong with a service, in words, below the table. */
function problem(
  { service, health, detail, instances, schedule }: ServiceStatus,
  { style, columns }: StatusLook,
): string[] {
  // What runs at its times has a line of its own.
  if (health === 'stopped' || schedule !== undefined) return [];
  const ends = [...new Set(instances.flatMap(({ lastEnd }) => (lastEnd === null ? [] : [lastEnd])))];
  // One that is well again is still asked why it had to be restarted.
  if (health === 'healthy')
    return ends.length === 0 ? [] : indented(`${service}: last ended: ${ends.join(', ')}`, columns).map(style.dim);
  const text = `${service}: ${detail}${ends.length === 0 ? '' : `; last ended: ${ends.join(', ')}`}`;
  return indented(text, columns).map((line) => style.yellow(line));
}

function scheduled({ service, schedule, health }: ServiceStatus, { style, columns }: StatusLook): string[] {
  if (schedule === undefined || health === 'stopped') return [];
  const paint = health === 'healthy' ? (line: string): string => line : style.yellow;
  return indented(scheduleLine(service, schedule, style), columns).map(paint);
}

function rolloutLines(
  rollout: RolloutView,
  { style, columns, now }: StatusLook,
  wanted: EnvironmentStatus['wanted'],
): string[] {
  if (rollout.end !== null) return [];
  // Nobody visits what does not run, and nothing is watched until it does.
  if (wanted === 'down' && rollout.phase === 'watching')
    return indented(
      `${rollout.kind} of ${newReleases(rollout)} (${rollout.id}) was promoted; its rollback window waits until it is up again`,
      columns,
    ).map(style.dim);
  const what = `${rollout.kind} of ${newReleases(rollout)}`;
  const mark = rollout.paused === null ? style.cyan(style.symbols.now) : style.yellow(style.symbols.paused);
  const head = `  ${mark} ${what} ${style.symbols.dot} ${rollout.paused === null ? rollout.phase : 'paused'} ${style.dim(rollout.id)}`;
  const ways = waysOn(rollout);
  const width = Math.max(0, ...ways.map(({ command }) => command.length));
  return [
    ...wrap(head.trimStart(), columns - 4).map((line, index) => (index === 0 ? `  ${line}` : `    ${line}`)),
    ...indented(rollout.paused?.detail ?? progress(rollout, now), columns - 2).map((line) => `  ${style.dim(line)}`),
    ...ways.map(({ command, means }) => `    ${command.padEnd(width)}  ${style.dim(means)}`),
  ];
}

function urlLines(services: readonly ServiceStatus[], { style }: StatusLook): string[] {
  return [...new Set(services.flatMap(({ urls }) => urls))].map((url) => `  ${style.cyan(url)}`);
}

/** What visitors do not get to see just now. */
function closedLines({ closed, environment }: EnvironmentStatus, { style, columns, now }: StatusLook): string[] {
  if (closed === undefined) return [];
  const { services, by, since } = closed;
  const who =
    by === null || since === null ? 'by evenkeel.yaml' : `by ${by} for ${formatDuration(roundedSince(since, now))}`;
  const way =
    by === null
      ? ''
      : `; \`evenkeel maintenance off${environment === 'development' ? '' : ` --env ${environment}`}\` opens`;
  return indented(`closed for maintenance ${who}: ${services.join(', ')}${way}`, columns).map(style.yellow);
}

const roundedSince = (since: number, now: number): number => Math.max(1000, Math.floor((now - since) / 1000) * 1000);

/** How long the certificates last, and what is wrong with them. */
function tlsLines({ tls }: EnvironmentStatus, { style, columns }: StatusLook): string[] {
  if (tls === undefined) return [];
  const lasting = tls.certificates.flatMap(({ names, daysLeft }) =>
    daysLeft === null || daysLeft < 0 ? [] : `certificate for ${names.join(', ')}: ${plural(daysLeft, 'day')} left`,
  );
  const coming = comingCertificates({ tls }, { refused: false });
  return [
    ...lasting.flatMap((line) => indented(line, columns).map(style.dim)),
    ...coming.flatMap((line) => indented(`TLS: ${line}`, columns).map(style.dim)),
    ...tls.concerns.flatMap((concern) => indented(`TLS: ${concern}`, columns).map(style.yellow)),
  ];
}

const indented = (text: string, columns: number): string[] =>
  wrap(text, Math.min(columns, 110) - 3).map((line) => `  ${line}`);
