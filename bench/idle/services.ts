import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const SERVICES = 40;

/**
 * A program that answers every request, in the smallest form that this machine has. Perl is on every Debian, and its
 * processes share no memory with ours: forty Node processes would pay a good part of Node's code for us.
 */
const PERL = `use strict; use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => $ENV{HOST} || '127.0.0.1', LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1) or die $!;
$SIG{TERM} = sub { exit 0 };
while (my $client = $server->accept) {
  while (my $line = <$client>) { last if $line =~ /^\\r?\\n$/ }
  print $client "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n";
  close $client;
}
`;

const NODE = `const { createServer } = require('node:http');
const server = createServer((_, response) => response.end('ok\\n')).listen(process.env.PORT, process.env.HOST);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

/** Writes a project of forty services; answers what they are written in. */
export function writeProject(root: string, port: number): string {
  const perl = has('perl', ['-MIO::Socket::INET', '-e', '1']);
  const file = perl ? 'server.pl' : 'server.cjs';
  const names = Array.from({ length: SERVICES }, (_, i) => `s${String(i + 1).padStart(2, '0')}`);
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, file), perl ? PERL : NODE);
  const run = perl ? `perl ${file}` : `node --max-semi-space-size=1 ${file}`;
  const services = names.map((name) => `  ${name}: { run: "${run}", health: /health, routes: [/${name}] }`);
  const development = `environments:\n  development: { port: ${port} }`;
  writeFileSync(join(root, 'evenkeel.yaml'), `project: forty\nservices:\n${services.join('\n')}\n${development}\n`);
  return perl ? 'Perl' : 'Node';
}

function has(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
