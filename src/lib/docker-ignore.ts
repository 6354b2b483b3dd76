/** What a `.dockerignore` keeps out of a build context. Paths are below the context, without a leading slash. */
export interface DockerIgnore {
  out(path: string): boolean;
  /** Whether nothing below a folder that is out can be wanted after all. */
  whole(folder: string): boolean;
}

/**
 * Docker's rules: patterns begin at the context, a folder takes along what lies in it, the last that fits has the say, and
 * `!` brings back even what lies in a folder left out. (git's rules, which look alike, differ in the first and the last.)
 */
export function dockerIgnore(text: string): DockerIgnore {
  const rules = text.split('\n').flatMap((line) => {
    const rule = line.trim();
    if (rule === '' || line.startsWith('#')) return [];
    const back = rule.startsWith('!');
    const pattern = cleaned(back ? rule.slice(1).trim() : rule);
    return pattern === '' ? [] : [{ back, fits: patternToExpression(pattern) }];
  });
  const comesBack = rules.some(({ back }) => back);
  const out = (path: string): boolean => {
    const parts = cleaned(path).split('/');
    // What lies outside of the context is none of its business.
    if (parts[0] === '' || parts[0] === '..') return false;
    const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    return rules.findLast(({ fits }) => prefixes.some((prefix) => fits.test(prefix)))?.back === false;
  };
  return { out, whole: (folder) => !comesBack && out(folder) };
}

/** `./a//b/` as `a/b`; the context itself as nothing. */
const cleaned = (path: string): string =>
  path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');

/** A pattern of paths as COPY and .dockerignore have them: a star ends at a slash, two do not. */
export function patternToExpression(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] as string;
    if (char === '*' && pattern[at + 1] === '*') {
      at++;
      if (pattern[at + 1] === '/') {
        at++;
        source += '(?:.*/)?';
      } else source += '.*';
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const end = pattern.indexOf(']', at + 1);
      if (end === -1) source += String.raw`\[`;
      else {
        source += `[${pattern
          .slice(at + 1, end)
          .replace(/^!/, '^')
          .replaceAll('\\', String.raw`\\`)}]`;
        at = end;
      }
    } else source += char.replace(/[.+^${}()|\\/]/g, String.raw`\$&`);
  }
  return new RegExp(`^${source}$`, 's');
}
