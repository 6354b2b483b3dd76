import { request } from 'node:http';
import { expect } from 'vitest';
import { startEmulator } from '../../src/emulator/emulator.ts';
import type { Emulator, EmulatorOptions } from '../../src/emulator/emulator.ts';

export const TOKEN = 'test-token';

const running: Emulator[] = [];

/** An emulator whose operations end at once; `on`: APIs that are on in `demo-project` (`secretmanager`). */
export async function emulated({
  on = [],
  ...options
}: Partial<EmulatorOptions> & { on?: string[] } = {}): Promise<Emulator> {
  const emulator = await startEmulator({ token: TOKEN, speed: 1e9, ...options });
  running.push(emulator);
  const project = emulator.world.projects.find('demo-project');
  for (const name of on) emulator.world.projects.setOn(project, `${name}.googleapis.com`, true);
  return emulator;
}

/** Ends all, and fails when one of them answered what its schemas forbid. */
export async function endEmulators(): Promise<void> {
  const breaches: string[] = [];
  for (const emulator of running.splice(0)) {
    breaches.push(...emulator.world.calls.violations());
    await emulator.close();
  }
  expect(breaches).toEqual([]);
}

export interface Answer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line typescript/no-explicit-any -- replies of twenty APIs, looked into by matchers
  body: any;
  bytes: Buffer;
}

/** One raw request, with the Host of an API (`run`), or with the emulator's own when that is null. */
export function ask(
  emulator: Emulator,
  method: string,
  api: string | null,
  path: string,
  {
    body,
    token = TOKEN,
    headers = {},
  }: { body?: object | Buffer; token?: string | null; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${emulator.url}${path}`, {
      method,
      headers: {
        ...(api === null ? {} : { host: `${api}.googleapis.com` }),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined || Buffer.isBuffer(body) ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        const isJson = response.headers['content-type']?.includes('json') === true;
        const given = Object.entries(response.headersDistinct).map(([name, values]): [string, string] => [
          name,
          values?.join(', ') ?? '',
        ]);
        resolve({
          status: response.statusCode ?? 0,
          headers: new Headers(given),
          body: isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : null,
          bytes,
        });
      });
    });
    sent.end(Buffer.isBuffer(body) ? body : body === undefined ? undefined : JSON.stringify(body));
  });
}
