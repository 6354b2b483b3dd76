import { z } from 'zod';

import { buckets } from './bucket.ts';
import { cloud } from './cloud.ts';
import { databases } from './database.ts';
import { accessLog, closedKeys, trustedProxies } from './entry.ts';
import { objectives } from './objectives.ts';
import { rollout } from './rollout.ts';
import { env, host, keys, name, text, wholeNumber } from './scalars.ts';
import { serviceKeys } from './service.ts';
import { tls } from './tls.ts';

type Nullable<T extends z.ZodRawShape> = { [Key in keyof T]: z.ZodOptional<z.ZodNullable<T[Key]>> };

/** In an environment `null` takes a key of the service away. */
function nullable<T extends z.ZodRawShape>(shape: T): Nullable<T> {
  const entries = Object.entries(shape).map(([key, schema]) => {
    const inner: z.ZodType = schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : (schema as z.ZodType);
    // The description would stay on the inner schema, where editors do not look.
    return [
      key,
      z
        .nullable(inner)
        .describe(inner.description ?? '')
        .optional(),
    ];
  });
  return Object.fromEntries(entries) as Nullable<T>;
}

const approve = keys({
  people: wholeNumber(0, 20)
    .describe(
      'How many people must approve a rollout, other than the one who asked for it. Fewer than before count once a rollout that asks for fewer was approved. Default 0.',
    )
    .optional(),
  groups: z
    .array(text('the name of a group'), { error: 'a list of groups' })
    .describe('Who may approve. Not available yet.')
    .optional(),
});

/** The address that the public port binds. */
export const bind = z
  .union([z.ipv4(), z.ipv6(), z.literal('localhost').transform(() => '127.0.0.1')], {
    error: 'an address such as 127.0.0.1 or 0.0.0.0',
  })
  .describe('The address that the public port binds. Default 127.0.0.1 in development, 0.0.0.0 elsewhere.');

export const edgePort = wholeNumber(1, 65_535).describe('The public port of the edge. Default 8080.');

export const environment = keys({
  domain: host.describe('The host of routes that name none.').optional(),
  port: edgePort.optional(),
  bind: bind.optional(),
  tls: tls.optional(),
  trustedProxies: trustedProxies.optional(),
  accessLog: accessLog.optional(),
  ...closedKeys,
  approve: approve.describe('Who must agree before a new release takes over.').optional(),
  rollout: rollout.optional(),
  objectives: objectives.optional(),
  env: env.describe('Variables for all services of this environment.').optional(),
  services: z
    .record(name, keys(nullable(serviceKeys)).describe('Keys laid over those of the service; `null` takes one away.'), {
      error: 'services and their keys',
    })
    .describe('Overrides of single services.')
    .optional(),
  runtime: z
    .enum(['process', 'docker', 'cloud-run'], { error: 'process, docker or cloud-run' })
    .describe(
      'What runs the instances: processes of this machine, or Cloud Run. Default process; docker is not available yet.',
    )
    .optional(),
  cloud: cloud
    .nullable()
    .describe('Keys laid over those of `cloud` at the top; `null`: nothing of this environment is in the cloud.')
    .optional(),
  databases: databases.describe('Keys laid over those of single databases.').optional(),
  buckets: buckets.describe('Keys laid over those of single buckets.').optional(),
}).describe('What is different in this environment.');

/** An environment may be named and otherwise left empty. */
export const environments = z
  .record(name, environment.nullable(), { error: 'environments and their keys' })
  .describe('Environments. `development` and `production` exist without being written.');
