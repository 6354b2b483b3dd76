/** The process of a package registry's users; see `run-users.ts`. */
import { RegistryUsers } from './registry-users.ts';
import { runUsers } from './run-users.ts';

await runUsers((options) => RegistryUsers.start(options));
