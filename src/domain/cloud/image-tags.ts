/** Tags of an image: one that never comes again, in the order of time, and `latest`. */

const DAY = 86_400_000;

/** `20261121-221530`, UTC. `at`: wall time, ms. */
export function timeTag(at: number): string {
  const [year, month, day] = dateOf(Math.floor(at / DAY));
  const seconds = Math.floor((at - Math.floor(at / DAY) * DAY) / 1000);
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${String(year).padStart(4, '0')}${two(month)}${two(day)}-${time.map(two).join('')}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Year, month and day of a day since 1970-01-01, counted in eras of 400 years that begin in March. */
function dateOf(days: number): [number, number, number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}

export interface ImagePlace {
  /** Of the repository. */
  region: string;
  cloudProject: string;
  repository: string;
  /** The service's name in the cloud. */
  name: string;
}

/** `europe-west1-docker.pkg.dev/shop-1/shop/api`, without a tag. */
export const imageOf = ({ region, cloudProject, repository, name }: ImagePlace): string =>
  // A project of an organization's domain, `example.com:shop`, is a folder more here.
  `${region}-docker.pkg.dev/${cloudProject.replace(':', '/')}/${repository}/${name}`;

/** Both names of an image (`…/shop/api`) that is built now: the first is the one to deploy, since `latest` moves. */
export const imageNames = (image: string, at: number): [string, string] => [
  `${image}:${timeTag(at)}`,
  `${image}:latest`,
];
