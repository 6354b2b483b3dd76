import { plural } from '../../../lib/format.ts';
import type { Address, Kind } from '../resource.ts';
import type { CleanupItem } from './cleanup-plan.ts';
import { NOUNS } from './describe.ts';
import { type Signs, whyProduction } from './production.ts';

/** What has to be typed to delete everything at once. */
export const DELETE_ALL = 'DELETE ALL';

/** What a person is asked before something is deleted. */
export type Confirmation =
  /** `--yes` answers it. */
  | { ask: 'yes-or-no'; question: string }
  /** Nothing but a person at the keyboard, who types exactly this, answers it. */
  | { ask: 'phrase'; phrase: string; question: string };

export type Selection = 'all' | 'one-by-one' | 'menu';

export type Permission = { allowed: true } | { allowed: false; reason: string; next: string };

/**
 * Whether an environment may be cleaned up at all.
 *
 * @param typed the environment as it was given with `--env`; null: none was, and a default was taken
 */
export function mayCleanUp(environment: Signs, typed: string | null): Permission {
  const { name } = environment;
  const why = whyProduction(environment);
  if (why === null || typed === name) return { allowed: true };
  return {
    allowed: false,
    reason: `${name} ${why}: nothing of it is deleted unless it is named`,
    next: `the same with --env ${name}`,
  };
}

/** Asked once, before the first deletion. */
export function confirmSelection(selection: Selection, items: readonly CleanupItem[]): Confirmation | null {
  const count = plural(items.length, 'resource');
  if (items.length === 0 || selection === 'one-by-one') return null;
  if (selection === 'all') {
    return {
      ask: 'phrase',
      phrase: DELETE_ALL,
      question: `${count} will be deleted for good. Type ${DELETE_ALL} to go on`,
    };
  }
  return { ask: 'yes-or-no', question: `Delete ${count} for good?` };
}

/** Asked for one item: whether it is to go at all (one by one), and again for what holds data, whatever was said before. */
export function confirmItem(selection: Selection, item: CleanupItem): Confirmation[] {
  const asked: Confirmation[] = [];
  if (selection === 'one-by-one') {
    asked.push({ ask: 'yes-or-no', question: `Delete ${item.address} (${item.description})?` });
  }
  if (item.protection !== null) {
    const phrase = item.observed.name;
    const what = `${item.address} is ${item.protection} (${item.description})`;
    asked.push({ ask: 'phrase', phrase, question: `${what}. Type its name, ${phrase}, to delete it too` });
  }
  return asked;
}

/** Whether an answer confirms. Null: nobody is there to ask, or nothing was typed. */
export function isConfirmed(confirmation: Confirmation, answer: string | null, { yes }: { yes: boolean }): boolean {
  const typed = answer?.trim() ?? '';
  if (confirmation.ask === 'phrase') return typed === confirmation.phrase;
  return yes || /^(y|yes)$/i.test(typed);
}

export interface MenuReading {
  picked: Address[];
  /** What was typed and means nothing; nothing is deleted as long as there is any. */
  problems: string[];
}

/** `1, 3-5`, `buckets`, `service/api`, `all`, `none`: items by their number from 1, by kind, or by address. */
export function readMenu(typed: string, items: readonly CleanupItem[]): MenuReading {
  const picked = new Set<Address>();
  const problems: string[] = [];
  for (const word of typed.split(/[,\s]+/).filter((each) => each !== '')) {
    const found = meantBy(word, items);
    if (found === null) problems.push(`${word} is none of 1 to ${items.length}, a kind, or a name`);
    else for (const item of found) picked.add(item.address);
  }
  return { picked: items.map(({ address }) => address).filter((each) => picked.has(each)), problems };
}

function meantBy(word: string, items: readonly CleanupItem[]): readonly CleanupItem[] | null {
  const lower = word.toLowerCase();
  if (lower === 'all') return items;
  if (lower === 'none') return [];
  const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(word) ?? [];
  if (from !== undefined) {
    const [first, last] = [Number(from), Number(to ?? from)];
    return first >= 1 && last >= first && last <= items.length ? items.slice(first - 1, last) : null;
  }
  const named = items.filter(({ address }) => address === word);
  if (named.length > 0) return named;
  const kind = (Object.keys(NOUNS) as Kind[]).find((each) => {
    const names = [each, `${each}s`, NOUNS[each].several.toLowerCase(), NOUNS[each].one.toLowerCase()];
    return names.some((name) => name.replaceAll(' ', '-') === lower);
  });
  return kind === undefined ? null : items.filter(({ observed }) => observed.kind === kind);
}

/** What would not work any more, in words, if only these were deleted and the rest stayed. */
export function leftWithout(picked: ReadonlySet<Address>, items: readonly CleanupItem[]): string[] {
  const warnings: string[] = [];
  for (const { address, observed } of items) {
    if (observed.kind !== 'service' || picked.has(address)) continue;
    const { account, sql } = observed.attributes;
    if (picked.has(`account/${account}`)) warnings.push(`${address} stays, but runs as account/${account}, which goes`);
    const instance = sql?.split(':').at(-1);
    if (instance !== undefined && picked.has(`sql-instance/${instance}`)) {
      warnings.push(`${address} stays, but uses sql-instance/${instance}, which goes`);
    }
  }
  return warnings;
}
