import { domainToASCII } from 'node:url';

import type { Route } from '../../domain/project/project.ts';

export type RouteReading = { ok: true; route: Route } | { ok: false; why: string; hint: string | null };

/** `/api`, `api.example.com` or `api.example.com/v1`. Says what is wrong instead of guessing. */
export function parseRoute(text: string): RouteReading {
  const written = text.trim();
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(written);
  if (scheme !== null) {
    return wrong(`a route has no \`${scheme[0]}\``, `write \`${written.slice(scheme[0].length)}\``);
  }
  const slash = written.indexOf('/');
  const hostText = slash === -1 ? written : written.slice(0, slash);
  const path = parsePath(slash === -1 ? '/' : written.slice(slash));
  if (!path.ok) return path;
  if (hostText === '') {
    return slash === -1 ? wrong('a route cannot be empty', 'write `/` for everything') : routeOf(null, path.path);
  }
  const host = parseHost(hostText);
  if (host === null) {
    const hint = /^[a-z0-9_-]+$/i.test(hostText) ? `a path starts with a slash: \`/${written}\`` : hostHint(hostText);
    return wrong(`\`${hostText}\` is not a host name`, hint);
  }
  return routeOf(host, path.path);
}

/** A lower-case ASCII host name with at least one dot (or `localhost`, or an IPv4 address); null otherwise. */
export function parseHost(text: string): string | null {
  if (text.length > 253 || /[:*/?#@\s%\\[\]]/.test(text)) return null;
  const host = domainToASCII(text).toLowerCase();
  const labels = host.split('.');
  if (labels.length < 2 && host !== 'localhost') return null;
  const fine = labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  return fine ? host : null;
}

export type PathReading = { ok: true; path: string } | { ok: false; why: string; hint: string | null };

/** `/api/` -> `/api`. Segments are matched whole, so a wildcard at the end is never needed. */
export function parsePath(text: string): PathReading {
  if (!text.startsWith('/')) return wrong('a path starts with a slash', `write \`/${text}\``);
  const wildcard = /^(.*?)\/?\*+$/.exec(text);
  if (wildcard !== null) {
    return wrong('a route needs no `*`: it matches everything below it', `write \`${wildcard[1] || '/'}\``);
  }
  if (/[?#]/.test(text)) return wrong('a route ends before `?` and `#`', `write \`${text.replace(/[?#].*/, '')}\``);
  if (!/^[A-Za-z0-9/_.~!$&'()+,;=:@-]*$/.test(text)) {
    return wrong("a path holds letters, digits and -._~!$&'()+,;=:@ only", null);
  }
  if (text.includes('//')) return wrong('a path has no empty segment', `write \`${text.replaceAll(/\/+/g, '/')}\``);
  if (text.split('/').some((segment) => segment === '.' || segment === '..')) {
    return wrong('a path has no `.` or `..` segments', null);
  }
  return { ok: true, path: text.length > 1 ? text.replace(/\/$/, '') : text };
}

/** As a person would write it. */
export function showRoute(route: Route): string {
  return route.host === null ? route.path : `${route.host}${route.path === '/' ? '' : route.path}`;
}

function routeOf(host: string | null, path: string): RouteReading {
  return { ok: true, route: { host, path } };
}

function hostHint(host: string): string | null {
  if (host.includes('*')) return 'wildcard hosts are not available in evenkeel 0.1 yet: name each host';
  if (host.includes(':')) return 'leave the port out: it is `port` at the top of the file';
  return null;
}

function wrong(why: string, hint: string | null): { ok: false; why: string; hint: string | null } {
  return { ok: false, why, hint };
}
