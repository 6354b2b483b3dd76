/** Shorter values would be found in innocent words. */
const SHORTEST = 6;
/** Of values with several lines each line is looked for, unless it is as short as the last one of a key. */
const SHORTEST_LINE = 12;
/** An encoded piece must be this long to be no word of its own. */
const SHORTEST_ENCODED = 8;

/**
 * How a secret may look where it was printed: as it is, within an address, a form or a JSON document, quoted for a
 * shell, in base64 wherever it lies in what was encoded (`user:password` of a header), and in hexadecimal.
 */
export function formsOf(value: string): string[] {
  const plain = [value, value.trim()];
  const address = encodeURIComponent(value);
  // What encodeURIComponent leaves alone, others encode; and a form has + for a space.
  const strict = address.replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const whole = [
    ...plain,
    address,
    strict,
    encodeURI(value),
    lowerEscapes(address),
    lowerEscapes(strict),
    strict.replaceAll('%20', '+'),
    new URLSearchParams([['', value]]).toString().slice(1),
    JSON.stringify(value).slice(1, -1),
    value.replaceAll("'", String.raw`'\''`),
    value.replaceAll("'", `'"'"'`),
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  ];
  const lines = value.split(/\r?\n/);
  const encoded = plain.flatMap((each) => encodedForms(Buffer.from(each)));
  return [
    ...new Set([
      ...whole.filter((form) => form.length >= SHORTEST),
      ...(lines.length === 1 ? [] : lines.filter((line) => line.length >= SHORTEST_LINE)),
      ...(value.length < SHORTEST ? [] : encoded.filter((form) => form.length >= SHORTEST_ENCODED)),
    ]),
  ];
}

const lowerEscapes = (text: string): string => text.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());

function encodedForms(bytes: Buffer): string[] {
  const hex = bytes.toString('hex');
  const whole = [bytes.toString('base64'), bytes.toString('base64url')];
  return [
    hex,
    hex.toUpperCase(),
    ...whole,
    ...whole.map((each) => each.replace(/=+$/, '')),
    ...[0, 1, 2].flatMap((before) => base64Within(bytes, before)),
  ];
}

/**
 * The part of the base64 that the value alone decides when so many bytes (0 to 2, modulo 3) stand before it: three bytes
 * become four characters, so its ends mix with its neighbours.
 */
function base64Within(bytes: Buffer, before: number): string[] {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64url');
  const from = Math.ceil((before * 8) / 6);
  const to = Math.floor(((before + bytes.length) * 8) / 6);
  const own = text.slice(from, to);
  return [own, own.replaceAll('-', '+').replaceAll('_', '/')];
}
