import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { noOpenssl } from '../support/certificates.ts';
import { asking, twoHosts, VERSIONS } from '../support/edge-both.ts';
import type { Answered, Asked, Version } from '../support/edge-both.ts';
import type { EdgeHarness } from '../support/edge-harness.ts';
import { basic, from } from '../support/edge-policy.ts';
import { waitFor } from '../support/wait.ts';

const html = { accept: 'text/html' };
const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';

/** What is asked, and what it is to be answered with. */
const CASES: readonly (Asked & { readonly is: number; readonly says?: string })[] = [
  { path: '/open', is: 200, says: 'api', headers: { ...from('198.51.100.9, 192.0.2.1'), traceparent: parent } },
  { path: '/open', is: 200, headers: { traceparent: 'nonsense', 'x-forwarded-for': 'garbage' } },
  { path: '/open', is: 200, headers: { forwarded: 'for=10.0.0.1', 'x-forwarded-proto': 'http' } },
  { path: '/in', is: 401 },
  { path: '/in', is: 401, headers: basic('anna', 'wrong') },
  { path: '/in', is: 401, headers: html, says: 'Please sign in' },
  { path: '/in', is: 200, headers: basic('anna', 'right') },
  { path: '/net', is: 403 },
  { path: '/net', is: 200, headers: from('192.0.2.5') },
  { path: '/net', is: 403, headers: from('192.0.2.5, 198.51.100.1') },
  { path: '/net', is: 403, headers: from('192.0.2.66') },
  { path: '/open/../net', is: 400, headers: from('192.0.2.5') },
  { path: '/open/%2e%2e/net', is: 400 },
  { path: '/NET', is: 404 },
  { path: '/judged', is: 302, says: 'go', headers: { cookie: 'in=0' } },
  { path: '/judged', is: 302, method: 'POST', body: 'never sent on' },
  { path: '/judged', is: 200, headers: { cookie: 'in=1', 'remote-user': 'root', remote_user: 'root' } },
  { path: '/judged', is: 200, headers: { cookie: 'in=1' }, method: 'POST', body: 'sent on' },
  { path: '/rate', is: 200, headers: from('192.0.2.1') },
  { path: '/rate', is: 200, headers: from('192.0.2.1') },
  { path: '/rate', is: 429, headers: from('192.0.2.1') },
  { path: '/rate', is: 200, headers: from('192.0.2.2') },
  { path: '/small', is: 200, method: 'POST', body: 'x'.repeat(10) },
  { path: '/small', is: 413, method: 'POST', body: 'x'.repeat(11) },
  { path: '/small', is: 413, method: 'POST', body: 'x'.repeat(100_000), headers: { accept: 'application/json' } },
  { path: '/nowhere', is: 404, headers: html, says: '<h1>lost at a</h1>' },
  { path: '/nowhere', is: 404, says: 'There is nothing here' },
  { host: 'b.example', path: '/nowhere', is: 404, headers: html, says: '<h1>lost at b</h1>' },
  { host: 'b.example', path: '/shop', is: 503, headers: html, says: '<h1>soon</h1>' },
  { host: 'b.example', path: '/shop', is: 503, method: 'HEAD', says: '' },
  { host: 'b.example', path: '/shop', is: 200, headers: from('192.0.2.1'), says: 'other' },
  { host: 'c.example', path: '/open', is: 404, headers: html },
];

/** Of one connection of HTTP/1.1, of a moment, or of chance. */
const PASSING = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding', ':status']);
const lasting = (headers: Answered['headers']) =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !PASSING.has(name))
      .map(([name, value]) => [name, name === 'retry-after' && Number(value) < 600 ? 'soon' : value]),
  );

const without = (line: Record<string, unknown>, ...names: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(line).filter(([name]) => !names.includes(name)));

async function accessLog(edge: EdgeHarness, count: number): Promise<Record<string, unknown>[]> {
  const file = join(edge.home, 'logs', 'access', 'test', 'production.log');
  const read = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
  await waitFor(() => read().length >= count, { what: `${count} lines in the access log` });
  return read().map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Asks everything, and says what could be seen of it from all sides. */
async function observe(version: Version) {
  const { edge, api, other, judge, tlsPort } = await twoHosts();
  const asks = await asking(version, tlsPort);
  const answers = [];
  for (const each of CASES) {
    const { status, body, headers } = await asks(each);
    answers.push({
      asked: `${each.method ?? 'GET'} ${each.host ?? ''}${each.path}`,
      status,
      body,
      headers: lasting(headers),
    });
  }
  const seen = (requests: typeof api.requests) =>
    requests.map(({ method, url, headers }) => {
      const { traceparent } = headers;
      const kept = traceparent === parent ? 'kept' : /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/.test(traceparent as string);
      return {
        method,
        url,
        headers: without(headers, 'host', 'connection', 'traceparent'),
        traceparent: traceparent === undefined ? null : kept,
      };
    });
  const lines = (await accessLog(edge, CASES.filter(({ host }) => host === undefined).length)).map((line) => ({
    ...without(line, 'at', 'ms', 'firstByteMs', 'trace', 'instance'),
    traced: Boolean(line['trace']),
  }));
  const { unrouted, releases } = await edge.stats();
  const counts = releases.map(({ release, requests, bad, clientAborts, classes, inFlight }) => ({
    release,
    requests,
    bad,
    clientAborts,
    classes,
    inFlight,
  }));
  return {
    answers,
    api: seen(api.requests),
    other: seen(other.requests),
    judge: seen(judge.requests),
    lines,
    unrouted,
    counts,
  };
}

describe.skipIf(noOpenssl !== null)('what an environment lets in', () => {
  test('is the same over HTTP/2 as over HTTP/1.1', async () => {
    const [one, two] = await Promise.all(VERSIONS.map(observe));
    if (one === undefined || two === undefined) throw new Error('two versions are asked');
    expect(one.answers.map(({ asked, status }) => `${asked} ${status}`)).toEqual(
      CASES.map(({ method = 'GET', host = '', path, is }) => `${method} ${host}${path} ${is}`),
    );
    for (const [index, { says }] of CASES.entries())
      if (says !== undefined) expect(one.answers[index]?.body).toContain(says);
    expect(two.answers).toEqual(one.answers);
    expect(two.api).toEqual(one.api);
    expect(two.other).toEqual(one.other);
    expect(two.judge).toEqual(one.judge);
    expect([two.unrouted, two.counts]).toEqual([one.unrouted, one.counts]);
    // What was refused was shown to no release, and counts for none.
    const letIn = CASES.filter(({ is, host }) => is === 200 && host === undefined).length;
    expect(two.counts).toMatchObject([
      { release: 'api@1', requests: letIn, bad: 0, clientAborts: 0, inFlight: 0 },
      { release: 'other@1', requests: 1, bad: 0 },
    ]);
    expect([two.api.length, two.other.length]).toEqual([letIn, 1]);
    const lines = [one, two].map((each) => each.lines.map((line) => without(line, 'protocol')));
    expect(lines[1]).toEqual(lines[0]);
    expect(
      [one, two].map(({ lines }) => [...new Set(lines.map((line: Record<string, unknown>) => line['protocol']))]),
    ).toEqual(VERSIONS.map((version) => [version]));
  });
});
