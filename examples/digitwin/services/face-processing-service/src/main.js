import { HttpError, serve } from '@digitwin/http';
import { embed } from './embed.js';

serve('face-processing-service', {
  'GET /faces/health': () => ({ ok: true }),
  'POST /faces': ({ body }) => {
    const pixels = body?.pixels;
    const fine = Array.isArray(pixels) && pixels.every((value) => Number.isInteger(value) && value >= 0 && value < 256);
    if (!fine) throw new HttpError(400, 'pixels are whole numbers from 0 to 255');
    return { face: embed(pixels) };
  },
});
