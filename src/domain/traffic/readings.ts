/**
 * A path as the most generous of services might read it: percent-encoded letters (twice over), `..`, `//`, `\`, `;x` and
 * upper case resolved. A rule for `/admin` is worth nothing if `/x/../%61DMIN` comes to the same service without it, so
 * where rules differ, a request must mean the same route in both readings.
 */
export function looseReading(path: string): string {
  let text = path;
  for (let round = 0; round < ROUNDS; round++) {
    const decoded = text.replaceAll(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCodePoint(parseInt(hex, 16)));
    if (decoded === text) break;
    text = decoded;
  }
  const segments: string[] = [];
  for (const raw of text.toLowerCase().split(/[/\\]/)) {
    const segment = raw.replace(/[;\0?#].*$/s, '');
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

const ROUNDS = 3;
