import type { Heard } from './strict-reader.ts';

/** `METHOD target body`, with the case's mark taken out, and dots where it broke off. */
export function summary({ method, target, body, whole }: Heard, mark: string): string {
  const said = `${method} ${shorten(target.replaceAll(mark, '{}'))} ${shorten(body.replaceAll(mark, '{}'))}`;
  return `${said}${whole ? '' : ' ...'}`.trimEnd();
}

const shorten = (text: string): string => (text.length > 200 ? `${text.slice(0, 20)}(${text.length})` : text);

/** Whether `part` is `whole` with some left out. */
export function isPartOf(part: readonly string[], whole: readonly string[]): boolean {
  let next = 0;
  for (const each of part) {
    const found = whole.indexOf(each, next);
    if (found < 0) return false;
    next = found + 1;
  }
  return true;
}

/**
 * Why what reached through our edge is not what another proxy let through, or less of it; null when it is. Compared is
 * what a request means: its method, target, host, body, and the fields in `watch`.
 */
export function excess(ours: readonly Heard[], theirs: readonly Heard[], watch: readonly string[]): string | null {
  let next = 0;
  for (const [index, one] of ours.entries()) {
    const whys = theirs.slice(next).map((other) => difference(one, other, watch));
    const found = whys.indexOf(null);
    if (found < 0) return `request ${index + 1}: ${whys[0] ?? 'there is none'}`;
    next += found + 1;
  }
  return null;
}

function difference(one: Heard, other: Heard, watch: readonly string[]): string | null {
  if (one.method !== other.method) return `the method is ${other.method}`;
  if (pathOf(one.target) !== pathOf(other.target)) return `the target is ${other.target}`;
  if (hostOf(one.host) !== hostOf(other.host)) return `the host is ${other.host}`;
  if (one.whole && !other.whole) return 'it is not whole';
  if (one.whole ? one.body !== other.body : !other.body.startsWith(one.body)) return `the body is ${other.body}`;
  for (const name of watch) {
    const [mine, its] = [valuesOf(one, name), valuesOf(other, name)];
    if (mine.length > 0 && mine.join('\n') !== its.join('\n')) return `${name} is ${JSON.stringify(its)}`;
  }
  return null;
}

const valuesOf = ({ fields }: Heard, name: string): string[] =>
  fields.flatMap(([each, value]) => (each === name ? value : []));

/** Some pass an absolute target on as it is. */
const pathOf = (target: string): string => target.replace(/^https?:\/\/[^/?]*/i, '').replace(/^(?=\?|$)/, '/');

const hostOf = (host: string): string => host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
