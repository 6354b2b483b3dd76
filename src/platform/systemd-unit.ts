import { ALLOCATOR_ENV, entryFile, NODE_OPTIONS } from './entry.ts';

export interface UnitOptions {
  /** Absolute path of the node that is to run it. */
  execPath: string;
  /** EVENKEEL_HOME. */
  home: string;
  user: string;
}

/**
 * The systemd unit of a keeper. It stands by where another keeper runs (an edge may have been faster to replace one that
 * died than systemd was), and `KillMode=process` leaves ending edge and controller to the keeper, and instances alone.
 */
export function unitFile({ execPath, home, user }: UnitOptions): string {
  const command = [execPath, '--disable-warning=ExperimentalWarning', ...NODE_OPTIONS.keeper, entryFile('keeper')];
  const environment = Object.entries({ ...ALLOCATOR_ENV, EVENKEEL_HOME: home });
  return `[Unit]
Description=evenkeel keeper
After=network.target
StartLimitIntervalSec=0

[Service]
Type=exec
User=${literal(user)}
${environment.map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`).join('\n')}
ExecStart=${command.map(argument).join(' ')} --stand-by
Restart=always
RestartSec=250ms
KillMode=process
TimeoutStopSec=90
LimitNOFILE=65536
LimitCORE=0
Delegate=yes

[Install]
WantedBy=multi-user.target
`;
}

/** systemd expands % everywhere. */
const literal = (text: string): string => text.replaceAll('%', '%%');

const quoted = (text: string): string => `"${literal(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** And $ in commands. */
const argument = (text: string): string => {
  const escaped = text.replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? literal(escaped) : quoted(escaped);
};
