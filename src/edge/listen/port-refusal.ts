import type { PortBinding } from '../../platform/ipc-messages.ts';

/**
 * Why a port cannot be listened on, and what helps, for whoever reads why their deploy failed. `open`: where this edge
 * listens already.
 */
export function portRefusal({ bind, port }: PortBinding, code: string, open: readonly PortBinding[]): string {
  const own = code === 'EADDRINUSE' ? open.find((each) => each.port === port) : undefined;
  if (own !== undefined)
    return `${bind}:${port} cannot be listened on while evenkeel serves the port at ${own.bind}; take that down first (evenkeel down), or choose another \`port\` in evenkeel.yaml (${code})`;
  return `${bind}:${port} cannot be listened on: ${reason(code)} (${code})`;
}

function reason(code: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another program has it; stop that one, or choose another `port` in evenkeel.yaml';
    case 'EACCES':
      return 'this user may not have it; choose a `port` above 1023 in evenkeel.yaml, or run the evenkeel server as root';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that address; correct `bind` in evenkeel.yaml';
    default:
      return 'the system refuses it';
  }
}
