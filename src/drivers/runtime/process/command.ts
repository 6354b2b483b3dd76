/** Words that mean something only within a shell: there is no program of that name to become. */
const SHELL_WORDS = new Set(
  [
    'alias . : bg break cd command continue eval exec exit export fc fg getopts hash jobs local readonly return set',
    'shift source times trap type typeset ulimit umask unalias unset wait',
    '! [[ { } case do done elif else esac fi for function if in select then time until while',
  ].flatMap((line) => line.split(' ')),
);

/**
 * Makes the shell become the program instead of waiting for it, where that is surely the same: `exec` before the last
 * of several simple commands. Otherwise a SIGTERM to the group ends the shell at once while the program still drains,
 * and a signal that kills the program is told as an exit code. (Some shells do this themselves; Debian's does not.)
 * Anything with pipes, background jobs or substitutions, and quotes beside several commands, stay as they are.
 */
export function becomeProgram(command: string): string {
  const single = /^[^;&|()`\\\r\n]*$/.test(command); // then quotes hide nothing of importance
  const plain = /^[\w .\t/@%+=:,;&~$*?<>-]*$/.test(command);
  if (!single && !plain) return command;
  const parts = command.split(/(&&|;)/);
  const last = parts.at(-1) ?? '';
  if (/[&;]/.test(parts.filter((_, index) => index % 2 === 0).join(''))) return command;
  const [, before = '', word = ''] = /^(\s*(?:[A-Za-z_]\w*=\S*\s+)*)(\S+)/.exec(last) ?? [];
  if (!/^[\w./@%+:,~$-]+$/.test(word) || SHELL_WORDS.has(word)) return command;
  if (parts.some((part) => /^\s*(?:if|while|until|for|case|do|then|else|elif)\b/.test(part))) return command;
  return `${parts.slice(0, -1).join('')}${before}exec ${last.slice(before.length)}`;
}
