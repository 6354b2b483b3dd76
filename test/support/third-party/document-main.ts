/** The process of a document server's users; see `run-users.ts`. */
import { setMaxListeners } from 'node:events';
import { DocumentUsers } from './document-users.ts';
import { runUsers } from './run-users.ts';

// Every copy of the client listens for the end of its page, which here is one process for all of them.
setMaxListeners(0, process);
await runUsers((options) => DocumentUsers.start(options));
