import { HttpError } from '../lib/http.js';

const MODEL_URL = process.env.MODEL_URL ?? 'http://127.0.0.1:3001';

/**
 * @param {string} text
 * @returns {Promise<string>} what the model has to say to it
 */
export async function generate(text) {
  let response;
  try {
    response = await fetch(new URL('/generate', MODEL_URL), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
      signal: AbortSignal.timeout(10_000),
    });
  } catch (error) {
    console.error('api: the model cannot be reached:', error.cause?.message ?? error.message);
    throw new HttpError(502, 'model-unreachable', 'the model cannot be reached');
  }
  if (!response.ok) throw new HttpError(502, 'model-failed', `the model answered ${response.status}`);
  return (await response.json()).reply;
}
