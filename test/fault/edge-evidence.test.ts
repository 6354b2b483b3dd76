import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sessionHash } from '../../src/domain/traffic/session.ts';
import { layOut, ownerOf } from '../../src/domain/traffic/split.ts';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import { freePort } from '../support/free-port.ts';

const newSession = () => randomBytes(16).toString('base64url');

async function canary(env: Record<string, string> = {}) {
  const edge = new EdgeHarness(env);
  const process = await edge.start();
  const answer: Parameters<typeof upstream>[1] = (req, res) => {
    res.statusCode = req.url === '/bad' ? 500 : 200;
    if (req.url === '/late') setTimeout(() => res.end(), 60);
    else res.end();
  };
  const [old, next] = [await upstream('old', answer), await upstream('new', answer)];
  const port = await freePort();
  const at = (weight: number, rollout: string | null = 'r1/api') =>
    service(
      'api',
      port,
      [
        { release: 'api@1', weight: 100 - weight, ports: [old.port] },
        { release: 'api@2', weight, ports: [next.port] },
      ],
      {
        split:
          rollout === null
            ? null
            : { rollout, canary: 'api@2', baseline: 'api@1', slow: { p75Ms: 5_000, p95Ms: 10_000 } },
      },
    );
  await edge.set(1, at(20));
  await edge.healthy(`api@1-${old.port}`, `api@2-${next.port}`);
  const owner = (session: string, weight: number) =>
    ownerOf(layOut(at(weight)), sessionHash(session, 'unit')) === 'api@2' ? 'canary' : 'baseline';
  const ask = (session: string, path: string) => send({ port, path, headers: { cookie: `__evenkeel=${session}` } });
  return { edge, process, at, port, owner, ask };
}

describe('evidence', () => {
  test('counts each session once, at its first bad event, with the weight of that moment, across kill -9', async () => {
    const { edge, process, at, owner, ask } = await canary();
    const sessions = Array.from({ length: 40 }, newSession);
    const expected = new Map([
      [20, { canary: 0, baseline: 0 }],
      [50, { canary: 0, baseline: 0 }],
    ]);
    const bad = async (session: string, weight: number, first: boolean) => {
      expect((await ask(session, '/bad')).status).toBe(500);
      const counts = expected.get(weight);
      if (first && counts !== undefined) counts[owner(session, weight)]++;
    };
    for (const session of sessions.slice(0, 20)) await bad(session, 20, true);
    for (const session of sessions.slice(0, 10)) await bad(session, 20, false);
    const before = (await edge.stats()).evidence[0];
    for (const session of sessions.slice(20, 25)) await bad(session, 20, true);
    // Not even reported yet: it is in the journal.
    await edge.kill(process);
    await edge.start();
    await edge.set(2, at(50));
    for (const session of sessions.slice(25)) await bad(session, 50, true);
    for (const session of sessions) await bad(session, 50, false);

    const report = (await edge.stats()).evidence[0];
    expect(report?.metrics.errors).toEqual([...expected].map(([weight, counts]) => ({ weight, ...counts })));
    expect(report?.epoch).toBe(before?.epoch);
    expect(report?.sequence).toBeGreaterThan(before?.sequence ?? Number.POSITIVE_INFINITY);
    expect(report?.metrics.slowP75).toEqual([]);
    // Totals may lack what was counted in the last second before the kill, and never have more than there was.
    const requests = (report?.arms.canary.requests ?? 0) + (report?.arms.baseline.requests ?? 0);
    expect(requests).toBeGreaterThanOrEqual(30 + 15 + 40);
    expect(requests).toBeLessThanOrEqual(30 + 5 + 15 + 40);
    expect((report?.arms.canary.sessions ?? 0) + (report?.arms.baseline.sessions ?? 0)).toBeLessThanOrEqual(60);
  });

  test('is shared by a leaving and a new process, and forgotten with its split', async () => {
    const { edge, process, at, ask } = await canary();
    const sessions = Array.from({ length: 12 }, newSession);
    for (const session of sessions.slice(0, 6)) await ask(session, '/bad');
    await edge.handOver(process);
    for (const session of sessions) await ask(session, '/bad');
    await process.exited;
    const { evidence, releases } = await edge.stats();
    const [at20] = evidence[0]?.metrics.errors ?? [];
    expect((at20?.canary ?? 0) + (at20?.baseline ?? 0)).toBe(12);
    expect((evidence[0]?.arms.canary.requests ?? 0) + (evidence[0]?.arms.baseline.requests ?? 0)).toBe(18);
    expect((evidence[0]?.arms.canary.sessions ?? 0) + (evidence[0]?.arms.baseline.sessions ?? 0)).toBe(12);
    expect(releases.reduce((sum, { requests }) => sum + requests, 0)).toBe(18);
    expect(readdirSync(join(edge.folder, 'evidence'))).toEqual(['r1%2Fapi']);
    await edge.set(3, at(0, null));
    expect(existsSync(join(edge.folder, 'evidence', 'r1%2Fapi'))).toBe(false);
    expect((await edge.stats()).evidence).toEqual([]);
  });

  test('slow is above the frozen quantiles, but not in the first seconds of an instance', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const late = await upstream('late', (_req, res) => setTimeout(() => res.end(), 60));
    const port = await freePort();
    const config = (startedAt: number, rollout: string) =>
      service(
        'api',
        port,
        [
          { release: 'api@2', weight: 50, ports: [late.port], startedAt },
          { release: 'api@1', weight: 50 },
        ],
        {
          split: { rollout, canary: 'api@2', baseline: 'api@1', slow: { p75Ms: 20, p95Ms: 5_000 } },
        },
      );
    await edge.set(1, config(Date.now(), 'young'));
    await edge.healthy(`api@2-${late.port}`);
    await Promise.all(Array.from({ length: 40 }, () => send({ port }))); // half of them to the canary, by chance
    const young = (await edge.stats()).evidence[0];
    expect([young?.arms.canary.slowP75, young?.metrics.slowP75, young?.arms.canary.ttfb]).toEqual([0, [], []]);
    await edge.set(2, config(Date.now() - 60_000, 'old'));
    await edge.healthy(`api@2-${late.port}`);
    await Promise.all(Array.from({ length: 40 }, () => send({ port }))); // half of them to the canary, by chance
    const old = (await edge.stats()).evidence[0];
    expect(old?.arms.canary.slowP75).toBe(old?.arms.canary.requests);
    expect(old?.metrics.slowP75).toEqual([{ weight: 50, canary: old?.arms.canary.requests, baseline: 0 }]);
    expect(old?.metrics.slowP95).toEqual([]);
  });
});
