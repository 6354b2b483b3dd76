import { escapeCommand } from './draft.ts';

export interface DockerfileReading {
  /** What the image starts, as one shell command; null when it does not say. */
  run: string | null;
  port: string | null;
  /** Path asked by HEALTHCHECK. */
  health: string | null;
  /** Whether there is anything that a command alone does not replace. */
  hasSteps: boolean;
}

/** CMD, ENTRYPOINT, EXPOSE and HEALTHCHECK of the last stage, in both of their forms. */
export function readDockerfile(text: string): DockerfileReading {
  let entrypoint: string | null = null;
  let cmd: string | null = null;
  let port: string | null = null;
  let health: string | null = null;
  let hasSteps = false;
  for (const line of logicalLines(text)) {
    const [, word = '', rest = ''] = /^\s*([A-Za-z]+)\s+(.*)$/s.exec(line) ?? [];
    switch (word.toUpperCase()) {
      case 'FROM':
        [entrypoint, cmd, port, health] = [null, null, null, null];
        break;
      case 'ENTRYPOINT':
        // A new entrypoint takes away what a base stage said, as in Docker.
        [entrypoint, cmd] = [commandOf(rest), null];
        break;
      case 'CMD':
        cmd = commandOf(rest);
        break;
      case 'EXPOSE':
        port ??= /^\s*(\d+)/.exec(rest)?.[1] ?? null;
        break;
      case 'HEALTHCHECK':
        health = httpPathIn(rest);
        break;
      case 'RUN':
        hasSteps = true;
        break;
      default:
    }
  }
  const run = [entrypoint, cmd].filter((part) => part !== null && part !== '').join(' ');
  return { run: run === '' ? null : escapeCommand(run), port, health, hasSteps };
}

/** The path of the first http address in a command, such as `curl -f http://localhost:3000/health`. */
export function httpPathIn(command: string): string | null {
  const path = /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::[\w${}]+)?(\/[\w./~-]*)?/i.exec(command);
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

function quoteWord(word: string): string {
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
