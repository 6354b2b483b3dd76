/** Names of parameters whose values nobody should read in a log. */
const PRIVATE = /token|key|secret|pass|pwd|auth|sig|code|session|sid|jwt|otp|credential|email/i;
const LONGEST = 1024;

/** The query of a URL (without `?`) for a log: what looks private by its name is left out, and it has an end. */
export function redactQuery(query: string): string {
  const kept = query
    .slice(0, LONGEST)
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=');
      // What has no name may be the secret itself.
      if (equals < 0) return pair === '' ? '' : '[redacted]';
      const name = pair.slice(0, equals);
      return PRIVATE.test(loosely(name)) ? `${name}=[redacted]` : pair;
    });
  return kept.join('&');
}

const loosely = (name: string): string =>
  name.replaceAll(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCodePoint(parseInt(hex, 16)));
