import { z } from 'zod';

import { folder, scalar, text, variableName, wholeNumber, yesNo } from './scalars.ts';

const file = scalar((value) => {
  const path = value.trim().replace(/^\.\//, '');
  return path === '' || path.startsWith('/') || path.split('/').includes('..') || path.includes('\\') ? null : path;
}, 'the path of a file inside the project, such as apps/api/Dockerfile');

const databaseUse = z
  .union([yesNo], { error: 'true or false' })
  .describe('Whether the service uses the databases: false keeps their variables and connections away. Default true.');

/** Keys of a service that are about Cloud Run. */
export const cloudServiceKeys = {
  database: databaseUse.optional(),
  dockerfile: file.describe('How its image is built for Cloud Run. Default: `Dockerfile` in `dir`.').optional(),
  context: folder
    .describe('What the build of the image sees, from the folder of this file. Default: all of it.')
    .optional(),
  image: text('an image such as docker.io/library/nginx@sha256:...')
    .describe('An image that is used as it is on Cloud Run, instead of a build.')
    .optional(),
  concurrency: wholeNumber(1, 1000)
    .describe('On Cloud Run: most requests in progress in one instance. Default: `instances.concurrency`, else 80.')
    .optional(),
  urlVariable: variableName
    .describe('The variable in which the others find its address. Default: NAME_URL.')
    .optional(),
};
