import { parseRoute, showRoute } from '../../values/route.ts';
import { filledIn, resolved } from './interpolate.ts';
import { isMap, listOf, pairsOf, scalarText } from './model.ts';
import type { ComposeContext, ComposeService } from './model.ts';

export interface Reach {
  /** Whether something outside of the project asks it over TCP. */
  published: boolean;
  /** Of labels that a proxy reads. */
  routes: string[];
}

interface Port {
  /** As it was written, for the note. */
  shown: string;
  container: string;
  udp: boolean;
}

/** `ports` in every form, and the rules of Traefik. The ports themselves are the edge's and evenkeel's to choose. */
export function reachOf(service: ComposeService, context: ComposeContext): Reach {
  const { name, raw } = service;
  const { note } = context;
  const ports = listOf(raw['ports']).flatMap((each) => {
    const port = portOf(each, context.known);
    if (port === null) note(`a port of \`${name}\` cannot be read, and is left out`);
    return port ?? [];
  });
  const tcp = ports.filter(({ udp }) => !udp);
  const udp = ports.filter((port) => port.udp);
  if (udp.length > 0) note(`evenkeel serves no UDP: ${shown(udp)} of \`${name}\` is left out`);
  if (tcp.length > 0)
    note(
      `\`${name}\` was reached by ${shown(tcp)}; here it must listen on $PORT, and the edge on \`port\` of the environment`,
    );
  if (new Set(tcp.map(({ container }) => container)).size > 1 || tcp.some(({ container }) => container.includes('-')))
    note(`\`${name}\` listened on several ports; here it has one, so make a service of each other program`);
  return { published: tcp.length > 0, routes: routesOfLabels(service, context) };
}

const shown = (ports: readonly Port[]): string => ports.map((port) => port.shown).join(', ');

function portOf(written: unknown, known: ReadonlyMap<string, string>): Port | null {
  if (isMap(written)) {
    const container = scalarText(written['target']);
    if (container === null) return null;
    const published = scalarText(written['published']);
    return {
      shown: published === null ? container : `${published}:${container}`,
      container,
      udp: scalarText(written['protocol']) === 'udp',
    };
  }
  const text = scalarText(written);
  if (text === null) return null;
  const [address = '', protocol = 'tcp'] = resolved(text, known).split('/');
  const container = address.split(':').at(-1) ?? '';
  return /^\d+(-\d+)?$/.test(container) ? { shown: text, container, udp: protocol === 'udp' } : null;
}

/** `Host(...)`, `PathPrefix(...)` and the two joined; everything else that labels say is named. */
function routesOfLabels({ name, raw }: ComposeService, context: ComposeContext): string[] {
  const { note } = context;
  const routes: string[] = [];
  const left: string[] = [];
  for (const [label, value] of pairsOf(raw['labels'])) {
    const isRule = /^traefik\.http\.routers\.[^.]+\.rule$/i.test(label);
    const found = isRule ? routesOfRule(filledIn(value ?? '', `\`${name}\``, context)) : null;
    if (found !== null) routes.push(...found);
    else if (isRule)
      note(`the rule of Traefik \`${value ?? ''}\` of \`${name}\` has no equal here: write its \`routes\``);
    else left.push(label);
  }
  if (left.length > 0) note(`the labels of \`${name}\` are not carried over: ${left.join(', ')}`);
  return [...new Set(routes)];
}

function routesOfRule(rule: string): string[] | null {
  let hosts: string[] = [''];
  let paths: string[] = [''];
  for (const part of rule.split('&&')) {
    const [, matcher = '', inside = ''] = /^\s*\(?\s*(Host|PathPrefix|Path)\(([^()]*)\)\s*\)?\s*$/i.exec(part) ?? [];
    const values = [...inside.matchAll(/[`'"]([^`'"]+)[`'"]/g)].map(([, value = '']) => value);
    if (values.length === 0) return null;
    if (matcher.toLowerCase() === 'host') hosts = values;
    else paths = values;
  }
  const routes = hosts.flatMap((host) => paths.map((path) => `${host}${path}` || '/'));
  const read = routes.map((route) => parseRoute(route));
  return read.every((each) => each.ok) ? read.map((each) => (each.ok ? showRoute(each.route) : '')) : null;
}
