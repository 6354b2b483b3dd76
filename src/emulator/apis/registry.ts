import type { Api, Door } from '../core/api.ts';
import { artifactregistry } from './artifactregistry.ts';
import { bigquery } from './bigquery.ts';
import { billingbudgets } from './billingbudgets.ts';
import { cloudbilling } from './cloudbilling.ts';
import { cloudresourcemanagerV1, cloudresourcemanagerV3 } from './cloudresourcemanager.ts';
import { container } from './container.ts';
import { iam } from './iam.ts';
import { iamcredentials } from './iamcredentials.ts';
import { logging } from './logging.ts';
import { monitoring } from './monitoring.ts';
import { secretmanager } from './secretmanager.ts';
import { serviceusage } from './serviceusage.ts';
import { sqladminV1, sqladminV1beta4 } from './sqladmin.ts';
import { storage } from './storage.ts';
import { tokenDoor } from './token-door.ts';
import { vpcaccess } from './vpcaccess.ts';

/** Everything that needs no processes to be run. Of several versions of an API the newer one comes first. */
export const standardApis: readonly Api[] = [
  cloudresourcemanagerV3,
  cloudresourcemanagerV1,
  serviceusage,
  iam,
  iamcredentials,
  secretmanager,
  storage,
  sqladminV1,
  sqladminV1beta4,
  artifactregistry,
  vpcaccess,
  monitoring,
  logging,
  cloudbilling,
  billingbudgets,
  bigquery,
  container,
];

export const standardDoors: readonly Door[] = [tokenDoor];
