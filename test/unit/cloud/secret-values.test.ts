import { describe, expect, it } from 'vitest';
import { refuseEmptySecrets } from '../../../src/app/cloud/secret-values.ts';
import type { CloudRunConfig } from '../../../src/domain/cloud/run/config.ts';
import { onCloudRun } from '../../../src/domain/cloud/run/on-cloud-run.ts';
import { shop } from '../../support/cloud/cloud-run-world.ts';

const configWith = (env: CloudRunConfig['env']): CloudRunConfig => {
  const [service] = onCloudRun(shop('some/image')).services;
  if (service?.cloud === undefined) throw new Error('api is not in the cloud');
  return {
    ...service.cloud,
    env,
    secrets: [
      { variable: 'JWT_SECRET', id: 'jwt-secret' },
      { variable: 'MAIL_KEY', id: 'mail-key' },
      { variable: 'DATABASE_URL', id: 'shop-database-url' },
    ],
  };
};

const config = configWith({
  JWT_SECRET: [{ secret: 'JWT_SECRET' }],
  TOKENS: [{ secret: 'JWT_SECRET' }],
  LEVEL: ['info'],
  DATABASE_HOST: ['/cloudsql/shop-1:europe-west1:main'],
  DATABASE_URL: [{ secret: 'DATABASE_URL' }],
});

const refusalOf = (without: readonly string[]): Promise<unknown> =>
  refuseEmptySecrets([config, config], 'staging', async (_, id) => !without.includes(id)).then(
    () => null,
    (error: unknown) => error,
  );

describe('values of secrets, before a deploy is begun', () => {
  it('says all that lack one, and how each gets it', async () => {
    expect(await refusalOf(['jwt-secret', 'shop-database-url'])).toMatchObject({
      code: 'cloud-secret-empty',
      exit: 1,
      message: 'nothing was begun: DATABASE_URL, JWT_SECRET have no value in the cloud',
      next: 'evenkeel cloud setup --env staging\nevenkeel cloud secret JWT_SECRET --env staging',
    });
  });

  it('asks of none that no service uses', async () => {
    expect(await refusalOf(['mail-key'])).toBeNull();
  });

  it('is held up by no account that may not look', async () => {
    await refuseEmptySecrets([config], 'staging', () => Promise.reject(new Error('denied')));
  });
});
