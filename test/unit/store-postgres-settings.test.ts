import { describe, expect, test } from 'vitest';
import { clientConfig, postgresSettings } from '../../src/store/postgres/settings.ts';

describe('the address of the database', () => {
  test('has a host, a port, a database and who asks', () => {
    expect(postgresSettings('postgres://ann:p%40ss@db.example.com:6432/keel')).toEqual({
      host: 'db.example.com',
      port: 6432,
      database: 'keel',
      user: 'ann',
      password: 'p@ss',
      tls: { verify: true, ca: null },
      where: 'Postgres database keel on db.example.com:6432',
    });
    expect(postgresSettings('postgresql://ann@[::1]/keel')).toMatchObject({ host: '::1', port: 5432, password: null });
  });

  test('may be a Unix socket', () => {
    const expected = { host: '/run/postgresql', database: 'keel', user: 'ann', tls: false };
    for (const url of [
      'postgres://ann@%2Frun%2Fpostgresql/keel',
      'postgres:///keel?host=/run/postgresql&user=ann',
      'postgres://ann@localhost/keel?host=/run/postgresql',
    ]) {
      expect(postgresSettings(url)).toMatchObject(expected);
    }
  });

  test.each([
    ['localhost', false],
    ['127.0.0.1', false],
    ['[::1]', false],
    ['10.0.0.7', { verify: true, ca: null }],
    ['db.example.com', { verify: true, ca: null }],
    ['127.example.com', { verify: true, ca: null }],
  ])('is spoken to in the clear on this machine only, unless it says so: %s', (host, tls) => {
    expect(postgresSettings(`postgres://ann@${host}/keel`).tls).toEqual(tls);
    expect(postgresSettings(`postgres://ann@${host}/keel?sslmode=disable`).tls).toBe(false);
    expect(postgresSettings(`postgres://ann@${host}/keel?sslmode=require`).tls).toEqual({ verify: false, ca: null });
    expect(postgresSettings(`postgres://ann@${host}/keel?sslmode=verify-full`).tls).toEqual({ verify: true, ca: null });
  });

  test.each([
    'SECRET',
    'mysql://ann:SECRET@db/keel',
    'postgres://ann:SECRET@db',
    'postgres://ann:SECRET@db/keel/more',
    'postgres://ann:%SECRET@db/keel',
    'postgres://ann:SECRET@one,two/keel',
    'postgres://ann:SECRET@db/keel?password=SECRET',
    'postgres://ann:SECRET@db/keel?sslmode=prefer',
    'postgres://ann:SECRET@db/keel?sslmode=verify-full&sslrootcert=/no/SECRET',
  ])('is refused, and not repeated: %s', (url) => {
    let caught: unknown;
    try {
      postgresSettings(url);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: 'store-settings', exit: 1 });
    expect(JSON.stringify(caught, Object.getOwnPropertyNames(caught))).not.toContain('SECRET');
  });

  test('leaves nothing to the variables of other programs', () => {
    const config = clientConfig(postgresSettings('postgres://ann:hunter2@localhost/keel'));
    expect(config).toMatchObject({ host: 'localhost', port: 5432, database: 'keel', user: 'ann', ssl: false });
    expect(JSON.stringify(config)).not.toContain('hunter2');
    if (typeof config.password !== 'function') throw new Error('the password lies open');
    expect(config.password()).toBe('hunter2');
  });
});
