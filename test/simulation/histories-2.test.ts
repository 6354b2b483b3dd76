import { test } from 'vitest';
import { playHalf } from '../support/simulation/campaign.ts';

// Two files, for two processors.
test(
  'the engine keeps every rule through histories of failures, crashes and people, part 2',
  { timeout: 900_000 },
  () => playHalf(2),
);
