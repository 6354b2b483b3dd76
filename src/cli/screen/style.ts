export type Paint = (text: string) => string;

/** How text is set off. On anything but a terminal all of this is plain text. */
export interface Style {
  readonly color: boolean;
  readonly symbols: Symbols;
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly blue: Paint;
  readonly cyan: Paint;
  readonly magenta: Paint;
}

export interface Symbols {
  done: string;
  failed: string;
  now: string;
  todo: string;
  paused: string;
  arrow: string;
  dot: string;
  full: string;
  empty: string;
  spinner: readonly string[];
}

const UNICODE: Symbols = {
  done: '✔',
  failed: '✘',
  now: '●',
  todo: '○',
  paused: '‖',
  arrow: '→',
  dot: '·',
  full: '█',
  empty: '░',
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
};

const ASCII: Symbols = {
  done: '+',
  failed: 'x',
  now: '*',
  todo: '.',
  paused: '=',
  arrow: '->',
  dot: '-',
  full: '#',
  empty: '.',
  spinner: ['|', '/', '-', '\\'],
};

export function createStyle({ color, unicode }: { color: boolean; unicode: boolean }): Style {
  const paint =
    (open: number, close: number): Paint =>
    (text) =>
      color && text !== '' ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    color,
    symbols: unicode ? UNICODE : ASCII,
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    blue: paint(34, 39),
    cyan: paint(36, 39),
    magenta: paint(35, 39),
  };
}

/** Whether the user's terminal shows more than ASCII. */
export function showsUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env['TERM'] === 'linux' || env['TERM'] === 'dumb') return false;
  return /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '');
}
