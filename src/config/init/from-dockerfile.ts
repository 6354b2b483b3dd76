import { posix } from 'node:path';

import { escapeCommand } from './draft.ts';

export interface DockerfileReading {
  /** What the image starts, as one shell command; null when it does not say. */
  run: string | null;
  /** The part of it that a command given to the image does not replace. */
  entrypoint: string | null;
  /** The folder in which it starts it. */
  workdir: string | null;
  port: string | null;
  /** Path asked by HEALTHCHECK. */
  health: string | null;
  /** Whether there is anything that a command alone does not replace. */
  hasSteps: boolean;
}

interface Stage {
  entrypoint: string | null;
  cmd: string | null;
  port: string | null;
  health: string | null;
  workdir: string | null;
}

const EMPTY: Stage = { entrypoint: null, cmd: null, port: null, health: null, workdir: null };

/**
 * CMD, ENTRYPOINT, EXPOSE, WORKDIR and HEALTHCHECK of one stage, in both of their forms.
 * @param target The stage's name; null is the last one.
 */
export function readDockerfile(text: string, target: string | null = null): DockerfileReading {
  const stages = new Map<string, Stage>();
  let stage: Stage = { ...EMPTY };
  let hasSteps = false;
  for (const line of logicalLines(text)) {
    const [, word = '', rest = ''] = /^\s*([A-Za-z]+)\s+(.*)$/s.exec(line) ?? [];
    const keyword = word.toUpperCase();
    if (keyword === 'FROM') {
      const [, base = '', name] = /^(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(rest.trim()) ?? [];
      // Of a stage of this file everything is taken over; what another image says is not known.
      stage = { ...(stages.get(base.toLowerCase()) ?? EMPTY) };
      if (name !== undefined) stages.set(name.toLowerCase(), stage);
    } else if (keyword === 'RUN' || keyword === 'ENV') {
      hasSteps = true;
    } else {
      readInto(stage, keyword, rest);
    }
  }
  const { entrypoint, cmd, port, health, workdir } = stages.get(target?.toLowerCase() ?? '') ?? stage;
  const run = [entrypoint, cmd].filter((part) => part !== null && part !== '').join(' ');
  const started = entrypoint === null || entrypoint === '' ? null : escapeCommand(entrypoint);
  return { run: run === '' ? null : escapeCommand(run), entrypoint: started, workdir, port, health, hasSteps };
}

function readInto(stage: Stage, keyword: string, rest: string): void {
  switch (keyword) {
    case 'ENTRYPOINT':
      // A new entrypoint takes away what a base stage said, as in Docker.
      [stage.entrypoint, stage.cmd] = [commandOf(rest), null];
      break;
    case 'CMD':
      stage.cmd = commandOf(rest);
      break;
    case 'WORKDIR':
      stage.workdir = posix.resolve(stage.workdir ?? '/', rest.trim().replaceAll(/^["']|["']$/g, ''));
      break;
    case 'EXPOSE':
      stage.port ??= /^\s*(\d+)/.exec(rest)?.[1] ?? null;
      break;
    case 'HEALTHCHECK':
      stage.health = httpPathIn(rest);
      break;
    default:
  }
}

/** The path of the first http address in a command, such as `curl -f http://localhost:3000/health`. */
export function httpPathIn(command: string): string | null {
  const path =
    /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::[\w${}]+)?(\/[\w./~-]*(?:\?[\w.&=~%-]+)?)?/i.exec(
      command,
    );
  if (path === null) return null;
  const found = path[1] ?? '/';
  return found.includes('//') || found.includes('..') || found.includes('/./') || found.endsWith('/.') ? null : found;
}

/** `["node", "main.js"]` or a line for the shell -> a line for the shell; null for an empty list. */
export function commandOf(written: string): string | null {
  const text = written.trim();
  if (text.startsWith('[')) {
    try {
      const list: unknown = JSON.parse(text);
      if (Array.isArray(list)) return listToCommand(list);
    } catch {
      // Docker takes what is no JSON for a line of the shell, and so do we.
    }
  }
  return text === '' ? null : text;
}

export function listToCommand(list: readonly unknown[]): string | null {
  const words = list.map(String);
  const inShell = /^(\/bin\/)?(ba|da)?sh$/.test(words[0] ?? '') && words[1] === '-c' && words.length === 3;
  if (inShell) return words[2]?.trim() || null;
  return words.map(quoteWord).join(' ').trim() || null;
}

export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Lines with `\` continuations joined, comments and here-documents left out. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open = '';
  let until: string | null = null;
  for (const line of text.split(/\r?\n/)) {
    if (until !== null) {
      if (line.trim() === until) until = null;
      continue;
    }
    if (/^\s*#/.test(line)) continue;
    if (/\\\s*$/.test(line)) {
      open += `${line.replace(/\\\s*$/, '')} `;
      continue;
    }
    const whole = open + line;
    open = '';
    until = /^\s*(?:RUN|COPY)\b.*<<-?["']?(\w+)["']?/i.exec(whole)?.[1] ?? null;
    lines.push(whole);
  }
  if (open !== '') lines.push(open);
  return lines;
}
