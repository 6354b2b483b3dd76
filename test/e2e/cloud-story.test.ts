import { describe } from 'vitest';
import { tellStory } from '../support/cloud/story.ts';
import { emulatedStage } from '../support/cloud/story-stage.ts';

describe('the story, emulated', () => tellStory(emulatedStage, 5));
