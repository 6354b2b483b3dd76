import type { Users, UsersOptions } from './users.ts';

/**
 * The body of a process with users: starts them with the options of the command line, prints `{"type":"started"}`, and
 * at the end of its standard input (so also when its parent was killed) `{"type":"report","report":{...}}`.
 */
export async function runUsers<Extra extends object>(
  start: (options: UsersOptions) => Promise<Users<Extra>>,
): Promise<void> {
  const users = await start(JSON.parse(process.argv[2] ?? '{}') as UsersOptions);
  console.log(JSON.stringify({ type: 'started' }));
  await new Promise((resolve) => process.stdin.on('end', resolve).resume());
  console.log(JSON.stringify({ type: 'report', report: await users.stop() }));
  // A client library may leave timers behind, and nothing is left to do.
  process.exit(0);
}
