import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { whyNoAnswer } from '../../../src/drivers/cloud-run/replies.ts';

const URL = 'https://shop-api.run.app';

const asked = fc.record({
  status: fc.integer({ min: 100, max: 599 }),
  path: fc.constantFrom('/', '/health', '/health/deep'),
  health: fc.constantFrom(null, '/', '/health'),
  open: fc.boolean(),
  body: fc.oneof(fc.string({ maxLength: 400 }), fc.constant('the model\nis not loaded')),
});

test('properties 34, 36: an address counts as answering only when it lets in and is well, else what it said is told', () => {
  fc.assert(
    fc.property(asked, ({ status, path, health, open, body }) => {
      const request = { address: null, port: 443, host: null, method: 'GET', path, timeoutMs: 1 };
      const why = whyNoAnswer(request, { status, body }, { url: URL, open, health });
      const well = status >= 200 && status < 300;
      const refused = status === 401 || status === 403;
      expect(why === null).toBe(well || (path !== health && !(open && refused)));
      if (why === null) return;
      expect(why.startsWith(`GET ${URL}${path} answered ${status}`)).toBe(true);
      expect(why).not.toContain('\n');
      expect(why.length).toBeLessThan(300);
      const first = body.trim().split('\n')[0]?.slice(0, 200) ?? '';
      expect(why.endsWith(first)).toBe(true);
    }),
  );
});
