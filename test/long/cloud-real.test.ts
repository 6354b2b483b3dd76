/**
 * The story in a real project of Google Cloud: EVENKEEL_REAL_PROJECT=chat-cloud-1 npm run test:long -- cloud-real
 * CONTRIBUTING.md says what it needs and what it costs.
 */
import { describe, test } from 'vitest';
import { tellStory } from '../support/cloud/story.ts';
import { realStage } from '../support/cloud/story-stage.ts';

const project = process.env['EVENKEEL_REAL_PROJECT'] ?? '';

/** For one chapter; set-up waits for Cloud SQL, a deploy for builds, a canary for its counts. */
const MINUTES = 40;

describe('the story, in a real project', () => {
  if (project !== '') return tellStory(() => realStage(project), MINUTES);
  const why = 'EVENKEEL_REAL_PROJECT names no project; this one makes and pays for things there';
  test('is told', (context) => {
    console.log(`left out: ${why}`);
    context.skip(why);
  });
});
