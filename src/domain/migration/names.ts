/** Shorter names are words of every program. */
const SHORTEST = 3;

/** A name in the forms in which programs write it: `order_items` is also `orderItems`, `OrderItems` and `OrderItem`. */
export function formsOf(name: string): string[] {
  if (name.length < SHORTEST) return [];
  const parts = name.split(/[_\s-]+/).filter((part) => part !== '');
  const capital = (part: string): string => part.slice(0, 1).toUpperCase() + part.slice(1);
  const pascal = parts.map(capital).join('');
  const camel = pascal.slice(0, 1).toLowerCase() + pascal.slice(1);
  const single = (word: string): string[] => (/[^s]s$/.test(word) ? [word.replace(/ies$/, 'y').replace(/s$/, '')] : []);
  return [...new Set([name, camel, pascal, ...single(pascal), ...single(camel)])].filter(
    (form) => form.length >= SHORTEST,
  );
}

const WORD = /[A-Za-z0-9_$\u0080-\uffff]+/g;

/** Every line of a text on which one of these words stands, with the word; from 1. */
export function* linesNaming(
  source: string,
  words: ReadonlySet<string>,
): Generator<{ word: string; line: number; text: string }> {
  let line = 1;
  let counted = 0;
  for (const { 0: word, index } of source.matchAll(WORD)) {
    if (!words.has(word)) continue;
    for (let at = source.indexOf('\n', counted); at >= 0 && at < index; at = source.indexOf('\n', counted)) {
      line++;
      counted = at + 1;
    }
    // Not looked for from here on: a line may be all of a file.
    const [text = ''] = source.slice(counted, counted + LONGEST_LINE).split('\n', 1);
    yield { word, line, text: text.trim() };
  }
}

/** Characters; code that was packed into one line is shown from its beginning only. */
const LONGEST_LINE = 120;
