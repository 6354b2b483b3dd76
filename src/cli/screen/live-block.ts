import { truncate } from './text.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
/** A terminal that knows this draws everything between the two at once; others ignore it. */
const BEGIN_FRAME = '\u001b[?2026h';
const END_FRAME = '\u001b[?2026l';

export interface LiveBlock {
  /** Draws these lines in the place of the last ones. */
  draw(lines: readonly string[]): void;
  /** Leaves what is drawn and goes on below it. Idempotent. */
  end(): void;
}

interface Terminal {
  write(text: string): unknown;
  columns?: number;
  rows?: number;
}

/**
 * A few lines at the end of a terminal, redrawn in place in one write, and only from the first line that changed.
 * A line that would wrap is cut, and what would not fit on the screen is left out from the top, since the cursor
 * cannot go back to what has scrolled away.
 */
export function liveBlock(terminal: Terminal): LiveBlock {
  let drawn: string[] = [];
  let width = 0;
  let open = false;
  return {
    draw(lines) {
      const columns = Math.max(20, terminal.columns ?? 80);
      const fitting = lines.slice(-Math.max(4, (terminal.rows ?? 24) - 1)).map((line) => truncate(line, columns - 1));
      // A changed width has re-wrapped what was there: all of it is drawn again.
      const same = width === columns ? commonStart(drawn, fitting) : 0;
      if (open && same === drawn.length && same === fitting.length) return;
      const up = drawn.length - same;
      terminal.write(
        [
          BEGIN_FRAME,
          open ? '' : HIDE_CURSOR,
          up > 0 ? `\u001b[${up}A` : '',
          '\r',
          ...fitting.slice(same).map((line) => `${line}\u001b[K\n`),
          '\u001b[J',
          END_FRAME,
        ].join(''),
      );
      drawn = fitting;
      width = columns;
      open = true;
    },
    end() {
      if (open) terminal.write(SHOW_CURSOR);
      open = false;
      drawn = [];
    },
  };
}

function commonStart(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count++;
  return count;
}
