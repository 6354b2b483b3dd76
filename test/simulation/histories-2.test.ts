import { expect, test } from 'vitest';
import { campaign, HISTORIES, SEED } from '../support/simulation/campaign.ts';

// Two files, for two processors.
test(
  'the engine keeps every rule through histories of failures, crashes and people, part 2',
  { timeout: 900_000 },
  async () => {
    const first = SEED ?? 1_000_001;
    const seen = await campaign(first, SEED === null ? HISTORIES : 1);
    console.log(
      `${seen.histories} histories (${seen.rate.toFixed(0)}/s): ${seen.rollouts} rollouts, ${seen.promoted} promoted, ${seen.takenBack} taken back`,
    );
    // A simulator in which nothing happens keeps every rule.
    if (SEED === null) {
      expect(seen.promoted).toBeGreaterThan(HISTORIES / 4);
      expect(seen.takenBack).toBeGreaterThan(HISTORIES / 4);
    }
  },
);
