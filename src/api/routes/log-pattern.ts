import { EvenkeelError } from '../../ports/errors.ts';

/** Says whether a line is wanted. */
export type LinePattern = (line: string) => boolean;

/**
 * A regular expression of somebody's own, matched in a time that grows with the line and no faster: JavaScript's own
 * engine can take years over one line, and nothing else happens in this process meanwhile. The price is that there are
 * no look-aheads and back-references. Throws `bad-pattern`.
 */
export async function linePattern(text: string): Promise<LinePattern> {
  // Loaded by those who filter, which most do not.
  const { RE2JS } = await import('re2js');
  try {
    const pattern = RE2JS.compile(RE2JS.translateRegExp(text));
    return (line) => pattern.test(line);
  } catch (cause) {
    throw new EvenkeelError({
      code: 'bad-pattern',
      what: `${text} is not a regular expression that logs can be searched with`,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'correct it; look-aheads like (?!...) and back-references like \\1 are not available, other syntax is',
    });
  }
}
