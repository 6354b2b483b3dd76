import { once } from 'node:events';
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { certificate, noOpenssl } from '../support/certificates.ts';
import { FLAG, FRAME, frame } from '../support/corpus/frames.ts';
import { RawSession } from '../support/corpus/raw-session.ts';
import { answerOf, ask, session } from '../support/edge-http2.ts';
import type { TestEdge } from '../support/edge-harness.ts';
import { behindTls } from '../support/edge-tls.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

/**
 * Clients of HTTP/2 that open another connection once they were told that this one is over. They try nothing twice but what
 * was refused unread, as all clients do: what crossed the goodbye.
 */
function clients(port: number) {
  const state = { sent: 0, connections: 0, refused: 0, failures: [] as string[] };
  let running = true;
  const client = async (
    headers: OutgoingHttpHeaders,
    body: string | Buffer | undefined,
    pause: number,
    atOnce: number,
  ) => {
    let over: ClientHttp2Session | null = null;
    while (running) {
      if (over === null || over.closed || over.destroyed) {
        over = await session(port);
        state.connections++;
      }
      const current = over;
      await Promise.all(
        Array.from({ length: atOnce }, async () => {
          state.sent++;
          const reply = await ask(current, headers, body).catch((error: unknown) => ({
            status: String(error),
            code: 0,
          }));
          if (reply.status === 0 && current.closed) state.refused++;
          else if (reply.status !== 200 || reply.code !== 0) state.failures.push(`${reply.status} ${reply.code}`);
        }),
      );
      await sleep(pause);
    }
    over?.close();
  };
  const post = { ':method': 'POST', ':path': '/post' };
  const all = [
    ...[0, 1, 20, 150].map((pause) => client({ ':path': '/get' }, undefined, pause, 4)),
    ...[0, 30].map((pause) => client(post, 'body', pause, 2)),
    client(post, Buffer.alloc(1_000_000), 20, 1),
    client({ ':path': '/slow' }, undefined, 10, 2),
  ];
  const stop = async (): Promise<void> => {
    running = false;
    await Promise.all(all);
  };
  return { state, stop };
}

/**
 * A client that others wrote, again and again. It opens no second connection once it was told that this one is over, and
 * calls failed what it never sent; what it did send must have succeeded.
 */
function h2load(port: number) {
  const sum = { started: 0, succeeded: 0 };
  let running = true;
  const run = async (): Promise<typeof sum | null> => {
    const args = ['-n', '600', '-c', '3', '-m', '4', `https://127.0.0.1:${port}/h2load`];
    while (running) {
      const ran = await runCommand(['h2load', ...args]).catch(() => null);
      if (ran === null) return null;
      const [, started, succeeded] = /(\d+) started, \d+ done, (\d+) succeeded/.exec(ran.stdout) ?? [];
      sum.started += Number(started);
      sum.succeeded += Number(succeeded);
    }
    return sum;
  };
  const result = run();
  const stop = (): typeof result => {
    running = false;
    return result;
  };
  return { stop };
}

describe.skipIf(noOpenssl !== null)('a hand-over over HTTP/2', () => {
  test('loses no request, ends what may last for ever, and counts right', async ({ annotate }) => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const handler: NonNullable<Parameters<typeof behindTls>[2]>['handler'] = (req, res) => {
      if (req.url === '/events') res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      else if (req.url === '/slow') setTimeout(() => res.end('slow'), 1_200);
      else req.resume().on('end', () => res.end('ok'));
    };
    const { api, edge, first, tlsPort, config } = await behindTls([a], {}, { handler });
    // The upload below says nothing for as long as edges take to start.
    await edge.set(2, config({ timeoutMs: 60_000 }));
    const load = clients(tlsPort);
    onTestFinished(() => load.stop());
    const others = h2load(tlsPort);
    const watching = await session(tlsPort);
    const events = watching.request({ ':authority': 'a.example', ':path': '/events' });
    await once(events, 'data');
    const ended = answerOf(events);
    // An upload that is under way when the edge leaves, and goes on after it.
    const uploading = await session(tlsPort);
    const upload = uploading.request({ ':authority': 'a.example', ':method': 'POST' }, { endStream: false });
    upload.write('begun, ');
    const idle = await session(tlsPort);
    const left: Promise<unknown>[] = [];
    let current: TestEdge = first;
    for (let swap = 0; swap < 2; swap++) {
      await sleep(600);
      left.push(current.exited);
      const goodbye = swap === 0 ? once(uploading, 'goaway') : null;
      current = await edge.handOver(current);
      await goodbye;
    }
    const uploaded = answerOf(upload);
    upload.end('and done');
    expect(await uploaded).toMatchObject({ status: 200, code: 0 });
    expect((await ended).code).toBe(0);
    // Nobody told the idle one yet; its next request is still answered, and it is told then.
    const told = once(idle, 'goaway');
    expect((await ask(idle)).status).toBe(200);
    await told;
    await sleep(600);
    await load.stop();
    const ran = await others.stop();
    await Promise.all(left);
    expect(load.state.failures).toEqual([]);
    expect(load.state.sent).toBeGreaterThan(100);
    expect(load.state.refused).toBeLessThan(load.state.sent / 20);
    expect(load.state.connections).toBeGreaterThan(8);
    if (ran === null) await annotate('h2load is not installed (Debian: nghttp2-client)');
    else expect([ran.succeeded, ran.succeeded > 100]).toEqual([ran.started, true]);
    await waitFor(async () => (await edge.release('api@1')).inFlight === 0, { what: 'nothing to be in flight' });
    // What was refused reached nobody: events, the upload and the idle one's request are the three.
    const answered = load.state.sent - load.state.refused + (ran?.succeeded ?? 0) + 3;
    expect(api.requests.length).toBe(answered);
    const counts = await edge.release('api@1');
    expect([counts.requests, counts.bad]).toEqual([api.requests.length, 0]);
    expect(edge.log).not.toContain('unexpected');
  });

  test('answers what was on its way before it says goodbye, and ends no reply until then', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    let release = (): void => undefined;
    const handler: NonNullable<Parameters<typeof behindTls>[2]>['handler'] = (req, res) => {
      if (req.url === '/first') release = () => res.end('first');
      else res.end('second');
    };
    const { api, edge, first, tlsPort } = await behindTls([a], {}, { handler });
    const client = await RawSession.open(tlsPort);
    client.get(1, '/first');
    await waitFor(() => api.requests.length === 1, { what: 'the first request' });
    const next = await edge.start();
    const got = (type: number) => client.frames.filter((each) => each.type === type);
    const ends = () => got(FRAME.data).filter(({ flags }) => (flags & FLAG.endStream) !== 0);
    first.child.send({ type: 'drain' });
    const ping = await waitFor(() => got(FRAME.ping)[0], {
      what: 'the question whether more is on its way',
      interval: 2,
    });
    release();
    // It is: sent before anything of this was read.
    client.get(3, '/second');
    client.write(frame(FRAME.ping, FLAG.ack, 0, ping.payload));
    await waitFor(() => ends().length === 2, { what: 'both replies' });
    expect(client.answers).toEqual(['200', '200']);
    const order = client.frames.filter(
      ({ type, flags }) => type === FRAME.goaway || (type === FRAME.data && flags === 1),
    );
    expect(order.map(({ type }) => type)[0]).toBe(FRAME.goaway);
    expect(got(FRAME.goaway)[0]?.payload.readUInt32BE(0)).toBe(3);
    client.socket.destroy();
    await first.exited;
    expect((await edge.state()).pid).toBe(next.pid);
  });

  test('asks again when a reply ended while it asked, since clients ask for more then', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    let release = (): void => undefined;
    const handler: NonNullable<Parameters<typeof behindTls>[2]>['handler'] = (req, res) => {
      if (req.url === '/open') release = () => res.end('open');
      else res.end('next');
    };
    const { edge, first, tlsPort } = await behindTls([a], {}, { handler });
    const client = await RawSession.open(tlsPort);
    const got = (type: number) => client.frames.filter((each) => each.type === type);
    const goodbye = () => got(FRAME.goaway).map(({ payload }) => payload.readUInt32BE(0));
    await waitFor(() => got(FRAME.settings).length === 2, { what: 'the session' });
    const other = await RawSession.open(tlsPort);
    await edge.start();
    first.child.send({ type: 'drain' });
    let asked = -1;
    const leaves = () => {
      other.get((asked += 2), '/other');
      return other.frames.some(({ type }) => type === FRAME.ping);
    };
    await waitFor(leaves, { what: 'the edge to leave' });
    other.socket.destroy();
    // In one packet: the first has it ask, and before that question has left the second is answered at once.
    client.socket.cork();
    client.get(1, '/open');
    client.get(3, '/refused', [['expect', 'nobody knows what']]);
    client.socket.uncork();
    await waitFor(() => client.answers.length === 1, { what: 'the refusal', interval: 2 });
    const [ping] = got(FRAME.ping);
    // As one who answered the question before he read the refusal, and then asks for more.
    client.write(frame(FRAME.ping, FLAG.ack, 0, ping?.payload));
    const again = await waitFor(() => got(FRAME.ping)[1], { what: 'the question again', interval: 2 });
    client.get(5, '/next');
    client.write(frame(FRAME.ping, FLAG.ack, 0, again.payload));
    await waitFor(() => goodbye().length === 1, { what: 'the goodbye' });
    release();
    await waitFor(() => client.answers.length === 3, { what: 'all replies' });
    expect([new Set(goodbye()), client.answers]).toEqual([new Set([5]), ['417', '200', '200']]);
    client.socket.destroy();
    await first.exited;
  });
});
