import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { certificate, noOpenssl } from '../support/certificates.ts';
import { behindTls } from '../support/edge-tls.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

/** Asks for everything that pages ask for, and says what it got. */
const PAGE = `<!doctype html><body><script>
let said = '';
const say = (text) => (said += text + '; ');
const many = (path) => Promise.all(Array.from({ length: 150 }, (_, i) => fetch(path + i).then((reply) => reply.text())));
const post = (path, size) => fetch(path, { method: 'POST', body: new Uint8Array(size) });
(async () => {
  say('spoken: ' + performance.getEntriesByType('navigation')[0].nextHopProtocol);
  say('fetched: ' + (await many('/x')).filter((text) => text === 'ok').length);
  say('uploaded: ' + (await (await post('/upload', 3000000)).text()));
  say('refused early: ' + (await post('/early', 8000000)).status);
  await new Promise((resolve) => {
    const events = new EventSource('/events');
    events.onmessage = ({ data }) => (say('event: ' + data), events.close(), resolve());
  });
  await new Promise((resolve) => {
    const socket = new WebSocket('wss://' + location.host + '/socket');
    socket.onmessage = ({ data }) => (say('message: ' + data), socket.close(), resolve());
    socket.onerror = resolve;
  });
  await fetch('/said', { method: 'POST', body: said });
})();
</script>`;

const BROWSER = 'chromium';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--ignore-certificate-errors',
];

test.skipIf(noOpenssl !== null)(
  'a browser speaks HTTP/2, and HTTP/1.1 for WebSockets',
  { timeout: 90_000 },
  async ({ skip }) => {
    let said = '';
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const { api, edge, tlsPort } = await behindTls(
      [a],
      {},
      {
        handler: (req, res) => {
          let size = 0;
          if (req.url === '/') res.setHeader('content-type', 'text/html').end(PAGE);
          else if (req.url === '/early') res.writeHead(413).end('too large');
          else if (req.url === '/events')
            res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: hi\n\n');
          else if (req.url === '/said')
            req.on('data', (chunk: Buffer) => (said += String(chunk))).on('end', () => res.end());
          else if (req.url === '/upload')
            req.on('data', (chunk: Buffer) => (size += chunk.length)).on('end', () => res.end(String(size)));
          else res.end('ok');
        },
      },
    );
    const sockets = new WebSocketServer({ server: api.server });
    sockets.on('connection', (socket) => socket.send('hello'));
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    });
    const there = await runCommand([BROWSER, '--version']).catch(() => null);
    if (there === null) skip('chromium is not installed');
    const profile = `--user-data-dir=${tempDir('browser')}`;
    const browser = spawn(BROWSER, [...FLAGS, profile, `https://127.0.0.1:${tlsPort}/`], { stdio: 'ignore' });
    const exited = once(browser, 'exit');
    onTestFinished(async () => {
      browser.kill('SIGTERM');
      await exited;
    });
    const result = await waitFor(() => said, { what: 'the page to have asked for everything', timeout: 60_000 });
    expect(result).toBe('spoken: h2; fetched: 150; uploaded: 3000000; refused early: 413; event: hi; message: hello; ');
    expect((await edge.release('api@1')).bad).toBe(0);
    expect(edge.log).not.toContain('unexpected');
  },
);
