/** What the command bar finds. */
export type Entry = { readonly id: string; readonly name: string; readonly hint: string } & (
  | { readonly kind: 'page'; readonly href: string }
  | { readonly kind: 'action'; readonly run: () => void }
);

/** Entries with all of the words in them, those whose name begins with the first word before the others. */
export function matching(entries: readonly Entry[], text: string): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const [first = ''] = words;
  return entries
    .filter(({ name, hint }) => words.every((word) => `${name} ${hint}`.toLowerCase().includes(word)))
    .map((entry, index) => ({ entry, index, begins: entry.name.toLowerCase().startsWith(first) ? 0 : 1 }))
    .toSorted((a, b) => a.begins - b.begins || a.index - b.index)
    .map(({ entry }) => entry);
}
