import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const SERVICES = 40;
/** Resources of the file that are no services, with the APIs and roles that they need. */
export const OTHERS = 60;
const SECRETS = 13;
const CLOUD = { project: 'bench-cloud-1', region: 'europe-west1' };

/** The smallest program that answers: forty of them run on this machine, and none of it is evenkeel's. */
const PERL = `use strict; use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1) or die $!;
$SIG{TERM} = sub { exit 0 };
while (my $client = $server->accept) {
  while (my $line = <$client>) { last if $line =~ /^\\r?\\n$/ }
  print $client "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n";
  close $client;
}
`;

const DOCKERFILE = `FROM node:24-slim AS build
WORKDIR /app
COPY server.pl ./
FROM node:24-slim
WORKDIR /app
COPY --from=build /app/server.pl ./
CMD ["perl", "server.pl"]
`;

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index + 1).padStart(2, '0')}`);

/**
 * Forty services, two of which everybody reaches, a database, twelve buckets, and as many secrets as make it sixty other
 * resources.
 *
 * @param image what all services are; null: each is built
 */
export function writeForty(root: string, image: string | null): void {
  const of = image === null ? 'dockerfile: Dockerfile' : `image: ${image}`;
  const services = names('s', SERVICES).map(
    (name, index) =>
      `  ${name}: { run: perl server.pl, health: /health, ${index < 2 ? `routes: [/${name}], ` : ''}${of}, env: { A: "\${S01}" } }`,
  );
  const file = `project: forty
cloud: { project: ${CLOUD.project}, region: ${CLOUD.region}, budget: 500 USD }
services:
${services.join('\n')}
databases:
  main: { engine: postgres, version: 15 }
buckets:
${names('b', 12)
  .map((name) => `  ${name}: {}`)
  .join('\n')}
secrets: [${names('S', SECRETS).join(', ')}]
environments:
  staging:
    runtime: cloud-run
    rollout: { canary: false, rollbackWindow: 1m }
`;
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'evenkeel.yaml'), file);
  writeFileSync(join(root, 'Dockerfile'), DOCKERFILE);
  writeFileSync(join(root, 'server.pl'), PERL);
}
