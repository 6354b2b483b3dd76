import type { DevEvent } from './deps.ts';
import type { Output } from './output.ts';
import { outputText } from './show-log.ts';

/** Who speaks when it is not a service. */
const OURSELVES = 'evenkeel';

/** Makes a line of text of an event; each service has a colour of its own, in the order of their names. */
export function devPrinter({ style, terminal }: Output, services: readonly string[]): (event: DevEvent) => string {
  const colors = [style.cyan, style.green, style.yellow, style.magenta, style.blue];
  const width = Math.max(OURSELVES.length, ...services.map((name) => name.length));
  const paints = new Map(services.map((name, index) => [name, colors[index % colors.length] ?? style.cyan]));
  return ({ type, service, text }) => {
    const line = type === 'line' && service !== null;
    const name = line ? service : OURSELVES;
    const paint = (line ? paints.get(service) : undefined) ?? style.bold;
    return `${paint(name.padEnd(width))} ${style.dim('|')} ${line ? outputText(text, terminal) : tone(type)(text)}`;
  };

  function tone(type: string): (text: string) => string {
    if (type === 'ended') return style.red;
    if (type === 'unhealthy' || type === 'note') return style.yellow;
    if (type === 'open' || type === 'ready') return style.green;
    return style.dim;
  }
}
