// Stands in for an AI model: takes its time, and always has an answer.
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpError, readJson, sendJson, serve } from '../lib/http.js';

const DELAY_MS = Number(process.env.MODEL_DELAY_MS ?? 800);

serve({
  name: 'model',
  async handle(req, res) {
    if (req.method === 'GET' && req.url === '/health') {
      sendJson(res, 200, { ok: true });
      return;
    }
    if (req.method !== 'POST' || req.url !== '/generate') throw new HttpError(404, 'not-found', 'POST /generate');
    const { text } = await readJson(req);
    if (typeof text !== 'string') throw new HttpError(400, 'bad-text', 'text must be a string');
    await sleep(DELAY_MS * (0.75 + Math.random() / 2));
    sendJson(res, 200, { reply: answer(text) });
  },
});

/** @param {string} text */
function answer(text) {
  const words = text.trim().split(/\s+/);
  return `${words.length} ${words.length === 1 ? 'word' : 'words'}, the longest: “${words.reduce((a, b) => (b.length > a.length ? b : a))}”`;
}
