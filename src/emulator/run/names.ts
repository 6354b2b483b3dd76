import { createHash, randomInt } from 'node:crypto';

/** Parts of `projects/P/locations/L/<collection>/<name>…`. */
export interface Place {
  project: string;
  region: string;
}

export function placeOf(name: string): Place {
  const [, project = '', region = ''] = /^projects\/([^/]+)(?:\/locations\/([^/]+))?/.exec(name) ?? [];
  return { project, region };
}

export const parentName = ({ project, region }: Place): string => `projects/${project}/locations/${region}`;

export const shortName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

export const revisionName = (service: string, revision: string): string => `${service}/revisions/${revision}`;

const LETTERS = 'bcdfghjklmnpqrstvwxz';

const randomLetters = (count: number): string =>
  Array.from({ length: count }, () => LETTERS[randomInt(LETTERS.length)]).join('');

/** `api-00003-xyz`, as Cloud Run names revisions that nobody named. */
export const nextRevisionName = (service: string, generation: number): string =>
  `${service}-${String(generation).padStart(5, '0')}-${randomLetters(3)}`;

export const nextExecutionName = (job: string): string => `${job.slice(0, 57)}-${randomLetters(5)}`;

/** What stands for a region in a service's URL; those that Google has not told are made up. */
const REGION_CODES: Record<string, string> = {
  'asia-east1': 'de',
  'asia-east2': 'df',
  'asia-northeast1': 'an',
  'asia-northeast2': 'dt',
  'asia-northeast3': 'du',
  'asia-south1': 'el',
  'asia-southeast1': 'as',
  'asia-southeast2': 'et',
  'australia-southeast1': 'ts',
  'europe-central2': 'lm',
  'europe-north1': 'lz',
  'europe-west1': 'ew',
  'europe-west2': 'nw',
  'europe-west3': 'ey',
  'europe-west4': 'ez',
  'europe-west6': 'oa',
  'northamerica-northeast1': 'nn',
  'southamerica-east1': 'rj',
  'us-central1': 'uc',
  'us-east1': 'ue',
  'us-east4': 'uk',
  'us-west1': 'uw',
  'us-west2': 'wl',
  'us-west3': 'wm',
  'us-west4': 'wn',
};

const letters = (text: string, count: number): string =>
  [...createHash('sha256').update(text).digest()]
    .map((byte) => byte.toString(36))
    .join('')
    .slice(0, count);

const regionCode = (region: string): string => REGION_CODES[region] ?? letters(region.replace(/\d/g, '') + region, 2);

/** Longest name in DNS between two dots. */
const LABEL = 63;

export interface ServiceHosts {
  /** `api-x3f5k2h7qa-ew.a.run.app`, the one that `uri` names. */
  hashed: string;
  /** `api-123456789012.europe-west1.run.app`; null when the name is too long for it. */
  plain: string | null;
}

export function hostsOf(place: Place, projectNumber: string, service: string): ServiceHosts {
  const hash = letters(`${place.project}/${place.region}`, 10);
  const suffix = `-${hash}-${regionCode(place.region)}`;
  const label = `${service}-${projectNumber}`;
  return {
    hashed: `${service.slice(0, LABEL - suffix.length)}${suffix}.a.run.app`,
    plain: label.length > LABEL ? null : `${label}.${place.region}.run.app`,
  };
}

/** Where one tag of a service answers. */
export const tagHost = (tag: string, host: string): string => `${tag}---${host}`;

/** The tag and the rest of a host name. */
export function splitTag(host: string): { tag: string | null; host: string } {
  const at = host.indexOf('---');
  return at === -1 ? { tag: null, host } : { tag: host.slice(0, at), host: host.slice(at + 3) };
}
