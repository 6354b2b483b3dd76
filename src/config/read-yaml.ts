import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, Node, Pair, YAMLError, YAMLMap } from 'yaml';

import { problemAt } from './problem.ts';
import type { Complaint, Place, Problem } from './problem.ts';
import type { Entry, MapTree, Tree } from './tree.ts';

/** Far more than fifty services need; keeps a hostile or mistaken file from taking the program down. */
export const MAX_BYTES = 1024 * 1024;
const MAX_VALUES = 50_000;
const MAX_DEPTH = 64;

export interface YamlReading {
  /** Null when there is nothing to go on with. */
  tree: Tree | null;
  problems: Problem[];
}

/** YAML 1.2 with anchors and merge keys (`<<`), as a tree with places. Reports everything, throws nothing. */
export function readYaml(text: string, file: string): YamlReading {
  const lines = new LineCounter();
  let document: Document.Parsed;
  try {
    const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'error' } as const;
    // A byte order mark is a habit of some editors, not content.
    document = parseDocument(text.replace(/^\uFEFF/, ''), options);
  } catch (error) {
    // The parser recurses; what makes it run out of stack was not written by a person.
    const message = error instanceof RangeError ? 'values are nested too deeply' : 'cannot be read as YAML';
    return { tree: null, problems: [problemAt({ file, line: 1, column: 1 }, [], { code: 'syntax', message })] };
  }
  const problems = [...document.errors, ...document.warnings].map((error) =>
    problemAt(placeOf(file, lines, startOf(error, document)), [], {
      code: 'syntax',
      ...explain(error.code, error.message),
    }),
  );
  // After a syntax error the rest of the tree is a guess: naming unknown keys in it would only mislead.
  if (problems.length > 0) return { tree: null, problems: oneForEachPlace(problems) };
  const reader = new TreeReader(document, file, lines);
  const tree = document.contents === null ? null : reader.read(document.contents, [], 0);
  const usable = !reader.exhausted && !reader.problems.some(({ code }) => code === 'syntax');
  return { tree: usable ? tree : null, problems: reader.problems };
}

/** The parser may stumble twice over one word; the second time says nothing new. */
function oneForEachPlace(problems: readonly Problem[]): Problem[] {
  return problems.filter(
    (one, index) => problems.findIndex(({ line, column }) => line === one.line && column === one.column) === index,
  );
}

/** An open quote is noticed where the file ends; what helps is where it was opened. */
function startOf(error: YAMLError, document: Document.Parsed): number {
  let start = error.pos[0];
  if (error.code !== 'MISSING_CHAR' || !error.message.includes('quote')) return start;
  visit(document, {
    Scalar: (_, scalar) => {
      const quoted = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE';
      if (quoted && scalar.range && scalar.range[0] < error.pos[0]) start = scalar.range[0];
    },
  });
  return start;
}

class TreeReader {
  readonly problems: Problem[] = [];
  exhausted = false;
  readonly #document: Document.Parsed;
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #open = new Set<Node>();
  #values = 0;

  constructor(document: Document.Parsed, file: string, lines: LineCounter) {
    this.#document = document;
    this.#file = file;
    this.#lines = lines;
  }

  read(node: Node | null, path: readonly string[], depth: number): Tree | null {
    if (this.exhausted) return null;
    this.#values++;
    if (this.#values > MAX_VALUES || depth > MAX_DEPTH) {
      this.exhausted = true;
      const what = depth > MAX_DEPTH ? `more than ${MAX_DEPTH} levels deep` : `more than ${MAX_VALUES} values`;
      this.#complain(node, path, {
        code: 'too-large',
        message: `the file has ${what} once its aliases are followed`,
        hint: 'look for an alias that repeats itself',
      });
      return null;
    }
    if (isAlias(node)) return this.#followAlias(node, path, depth);
    const place = this.#place(node);
    if (isMap(node)) return this.#readMap(node, path, depth, place);
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.read(item as Node, [...path, String(index)], depth + 1));
      return { kind: 'list', path, place, items: items.filter((item) => item !== null) };
    }
    if (!isScalar(node)) return { kind: 'scalar', path, place, value: null, source: '', filledFrom: null };
    const value = node.value;
    const source = typeof value === 'string' ? value : (node.source ?? '');
    const known = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    return { kind: 'scalar', path, place, value: known ? value : null, source, filledFrom: null };
  }

  #followAlias(alias: Node, path: readonly string[], depth: number): Tree | null {
    if (!isAlias(alias)) return null;
    const target = alias.resolve(this.#document);
    if (target === undefined || this.#open.has(target)) {
      const message = target === undefined ? `nothing is anchored as &${alias.source}` : 'an alias contains itself';
      this.#complain(alias, path, { code: 'syntax', message, hint: 'anchor the value with & before its first use' });
      return null;
    }
    this.#open.add(target);
    const tree = this.read(target, path, depth + 1);
    this.#open.delete(target);
    return tree;
  }

  #readMap(map: YAMLMap, path: readonly string[], depth: number, place: Place): MapTree {
    const own = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    this.#open.add(map);
    for (const pair of map.items) {
      if (!isPair(pair)) continue;
      const key = this.#keyOf(pair, path);
      if (key === null) continue;
      if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        this.#mergeInto(merged, pair, path, depth);
        continue;
      }
      const keyPlace = this.#place(pair.key as Node);
      const first = own.get(key);
      if (first !== undefined) {
        this.#complain(pair.key as Node, [...path, key], {
          code: 'duplicate-key',
          message: `\`${key}\` is written twice; the first is on line ${first.place.line}`,
          hint: 'keep one of them',
        });
        continue;
      }
      const value =
        pair.value === null
          ? this.#empty([...path, key], keyPlace)
          : this.read(pair.value as Node, [...path, key], depth + 1);
      if (value !== null) own.set(key, { place: keyPlace, value });
    }
    this.#open.delete(map);
    for (const [key, entry] of merged) if (!own.has(key)) own.set(key, entry);
    return { kind: 'map', path, place, entries: own };
  }

  #mergeInto(merged: Map<string, Entry>, pair: Pair, path: readonly string[], depth: number): void {
    const tree = this.read(pair.value as Node | null, path, depth + 1);
    const sources = tree?.kind === 'list' ? tree.items : [tree];
    for (const source of sources) {
      if (source?.kind !== 'map') {
        this.#complain(pair.key as Node, path, {
          code: 'wrong-type',
          message: '`<<` merges keys and values only',
          expected: 'an alias of keys and values, or a list of them',
        });
        continue;
      }
      for (const [key, entry] of source.entries) if (!merged.has(key)) merged.set(key, entry);
    }
  }

  #keyOf(pair: Pair, path: readonly string[]): string | null {
    const key = isAlias(pair.key) ? pair.key.resolve(this.#document) : pair.key;
    if (!isScalar(key)) {
      this.#complain(pair.key as Node | null, path, { code: 'syntax', message: 'a key must be a single word' });
      return null;
    }
    const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
    if (name === '__proto__') {
      this.#complain(key, [...path, name], { code: 'bad-name', message: '`__proto__` cannot be a key' });
      return null;
    }
    return name;
  }

  #empty(path: readonly string[], place: Place): Tree {
    return { kind: 'scalar', path, place, value: null, source: '', filledFrom: null };
  }

  #complain(node: Node | null, path: readonly string[], complaint: Complaint): void {
    this.problems.push(problemAt(this.#place(node), path, complaint));
  }

  #place(node: Node | null): Place {
    return placeOf(this.#file, this.#lines, node?.range?.[0] ?? 0);
  }
}

function placeOf(file: string, lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** The parser speaks of its grammar; people think of what they typed. */
function explain(code: string, message: string): Pick<Complaint, 'message' | 'hint'> {
  switch (code) {
    case 'TAB_AS_INDENT':
      return { message: 'a tab is used for indentation', hint: 'indent with spaces' };
    case 'BAD_INDENT':
      return { message: 'wrong indentation, or a bracket that is not closed', hint: null };
    case 'MULTIPLE_DOCS':
      return { message: 'the file holds more than one document', hint: 'remove the line with `---`' };
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {
        message: 'a second `: ` in one line, or the next line is indented further than this one',
        hint: 'put the value in quotes, or correct the indentation',
      };
    case 'MISSING_CHAR':
      return { message: lowerFirst(message), hint: 'look for a quote or bracket that is not closed' };
    case 'TAG_RESOLVE_FAILED':
      return { message: 'an unknown tag', hint: 'take out the word that starts with `!`, or put the value in quotes' };
    case 'BAD_SCALAR_START':
      return { message: 'a value cannot start with this character', hint: 'put the value in quotes' };
    default:
      return { message: lowerFirst(message), hint: null };
  }
}

function lowerFirst(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1);
}
