import { openDatabase } from '@digitwin/database';
import { ask, HttpError, serve } from '@digitwin/http';
import { issue, verify } from '@digitwin/tokens';
import { VERSION } from './version.js';

const { JWT_SECRET = '', REFRESH_SECRET = '' } = process.env;
const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;

const database = openDatabase();

function tokensOf(name) {
  return { access: issue(name, 15 * MINUTE, JWT_SECRET), refresh: issue(name, 30 * DAY, REFRESH_SECRET) };
}

function ownerOf(token) {
  const owner = verify(token, JWT_SECRET);
  if (owner === null) throw new HttpError(401, 'sign in first');
  return owner;
}

const headers = { 'x-app-version': VERSION };

const routes = {
  'GET /api/health': () => ({ ok: JWT_SECRET !== '' && REFRESH_SECRET !== '' }),

  /** What this copy was given; of secrets, only whether. */
  'GET /api/about': () => ({
    release: process.env.EVENKEEL_RELEASE ?? process.env.K_REVISION ?? null,
    database: database.describe(),
    buckets: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('GCS_BUCKET_'))),
    others: { websocket: process.env.WEBSOCKET_URL ?? null, faces: process.env.FACE_PROCESSING_SERVICE_URL ?? null },
    secrets: {
      jwt: JWT_SECRET !== '',
      refresh: REFRESH_SECRET !== '',
      password: Boolean(process.env.DATABASE_PASSWORD),
    },
  }),

  'POST /api/sign-in': ({ body }) => {
    if (typeof body?.name !== 'string' || body.name === '') throw new HttpError(400, 'a name is missing');
    return tokensOf(body.name);
  },

  'POST /api/refresh': ({ body }) => {
    const name = verify(body?.refresh, REFRESH_SECRET);
    if (name === null) throw new HttpError(401, 'sign in again');
    return tokensOf(name);
  },

  'GET /api/twins': ({ token }) => database.twin.findMany({ where: { owner: ownerOf(token) } }),

  /** Makes a twin of a picture: its face is worked out elsewhere, and whoever listens is told. */
  'POST /api/twins': async ({ token, body }) => {
    const owner = ownerOf(token);
    const { face } = await ask('FACE_PROCESSING_SERVICE_URL', '/faces', { pixels: body?.pixels ?? [] });
    const twin = database.twin.create({ data: { owner, name: body?.name ?? 'unnamed', face } });
    const told = ask(
      'WEBSOCKET_URL',
      '/ws/publish',
      { to: owner, event: 'twin', id: twin.id },
      { authorization: `Bearer ${token}` },
    );
    await told.catch(() => {}); // A twin is one even if nobody hears of it.
    return twin;
  },
};

serve('api-gateway', routes, headers);
