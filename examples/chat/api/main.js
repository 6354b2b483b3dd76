import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpError, readBody, readJson, sendJson, serve } from '../lib/http.js';
import { Timing } from '../lib/timing.js';
import { Events } from './events.js';
import { sign, verify } from './jwt.js';
import { generate } from './model-client.js';
import { VERSION, errorRate, extraDelayMs } from './release.js';
import { Store, noCredits } from './store.js';

const JWT_SECRET = process.env.JWT_SECRET ?? '';
if (JWT_SECRET.length < 16) {
  console.error('api: set JWT_SECRET to at least 16 characters');
  process.exit(1);
}

const UPLOAD_LIMIT = 1024 * 1024;
const store = new Store();
const events = new Events(store);

/** @typedef {(req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse, url: URL) => unknown} Handler */

/** @type {Record<string, Handler>} */
const routes = {
  'POST /api/messages': postMessage,
  'GET /api/messages': listMessages,
  'GET /api/events': (req, res) => events.open(req, res),
  'GET /api/balance': getBalance,
  'POST /api/credits': postCredits,
  'POST /api/guest': postGuest,
  'POST /api/upload': postUpload,
  'GET /api/slow': getSlow,
  'GET /api/version': (_req, res) => sendJson(res, 200, { version: VERSION }),
  'GET /api/health': getHealth,
};

serve({
  name: `api ${VERSION}`,
  headers: { 'x-app-version': VERSION },
  stopping: () => events.close(),
  stopped: () => store.close(),
  async handle(req, res) {
    const url = new URL(req.url ?? '/', 'http://api');
    const handler = routes[`${req.method} ${url.pathname}`];
    if (!handler) throw new HttpError(404, 'not-found', `there is no ${req.method} ${url.pathname}`);
    if (handler !== getHealth) await misbehave();
    await handler(req, res, url);
  },
});

/** A release can be bad in ways that its health check does not notice; see release.js. */
async function misbehave() {
  if (extraDelayMs > 0) await sleep(extraDelayMs);
  if (Math.random() < errorRate) throw new Error(`${VERSION} has a bug`);
}

/** @type {Handler} */
async function postMessage(req, res) {
  const timing = new Timing();
  const user = await timing.measure('auth', () => authenticate(req));
  const { text } = await readJson(req);
  if (typeof text !== 'string' || text.trim() === '' || text.length > 2000) {
    throw new HttpError(400, 'bad-text', 'text must have 1 to 2000 characters');
  }
  const balance = await timing.measure('credits', () => store.balance(user));
  if (balance <= 0) throw noCredits();
  const reply = await timing.measure('model', () => generate(text));
  const message = await timing.measure('db', () => store.addMessage(user, text, reply));
  sendJson(res, 201, { version: VERSION, message }, { 'server-timing': String(timing) });
  events.poll();
}

/** @type {Handler} */
function listMessages(_req, res, url) {
  const since = url.searchParams.get('since');
  if (since !== null && !/^\d{1,15}$/.test(since)) {
    throw new HttpError(400, 'bad-since', 'since must be the id of a message');
  }
  const messages = since === null ? store.newestMessages() : store.messagesSince(Number(since));
  sendJson(res, 200, { version: VERSION, messages });
}

/** @type {Handler} */
function getBalance(req, res) {
  const user = authenticate(req);
  sendJson(res, 200, { version: VERSION, user, balance: store.balance(user) });
}

/** @type {Handler} */
async function postCredits(req, res) {
  const user = authenticate(req);
  const { amount } = await readJson(req);
  if (typeof amount !== 'number' || !Number.isInteger(amount) || amount < 1 || amount > 1_000_000) {
    throw new HttpError(400, 'bad-amount', 'amount must be a whole number from 1 to 1000000');
  }
  sendJson(res, 200, { version: VERSION, user, balance: store.addCredits(user, amount) });
}

/** Lets the page in without a sign-up. @type {Handler} */
function postGuest(_req, res) {
  const user = `guest-${randomUUID().slice(0, 8)}`;
  sendJson(res, 201, { version: VERSION, user, token: sign(user, JWT_SECRET, 24 * 3600) });
}

/** @type {Handler} */
async function postUpload(req, res) {
  authenticate(req);
  const body = await readBody(req, UPLOAD_LIMIT);
  const sha256 = createHash('sha256').update(body).digest('hex');
  sendJson(res, 200, { version: VERSION, length: body.length, sha256 });
}

/** @type {Handler} */
async function getSlow(_req, res, url) {
  const ms = Number(url.searchParams.get('ms') ?? 2000);
  if (!(ms >= 0 && ms <= 10_000)) throw new HttpError(400, 'bad-ms', 'ms must be from 0 to 10000');
  await sleep(ms);
  sendJson(res, 200, { version: VERSION, ms });
}

/** @type {Handler} */
function getHealth(_req, res) {
  try {
    store.checkReady();
  } catch (error) {
    sendJson(res, 503, { ok: false, version: VERSION, reason: error.message });
    return;
  }
  sendJson(res, 200, { ok: true, version: VERSION });
}

function authenticate(req) {
  return verify(req.headers.authorization, JWT_SECRET);
}
