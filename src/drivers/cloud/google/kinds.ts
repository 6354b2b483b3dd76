import type { Kind } from '../../../domain/cloud/resource.ts';
import type { KindDriver } from './kind-driver.ts';
import { account } from './kinds/account.ts';
import { alertChannel } from './kinds/alert-channel.ts';
import { alertPolicy } from './kinds/alert-policy.ts';
import { api } from './kinds/api.ts';
import { auditLogs } from './kinds/audit-logs.ts';
import { bucket } from './kinds/bucket.ts';
import { budget } from './kinds/budget.ts';
import { cluster } from './kinds/cluster.ts';
import { connector } from './kinds/connector.ts';
import { job } from './kinds/job.ts';
import { logRetention } from './kinds/log-retention.ts';
import { repository } from './kinds/repository.ts';
import { role } from './kinds/role.ts';
import { secret } from './kinds/secret.ts';
import { service } from './kinds/service.ts';
import { sqlDatabase } from './kinds/sql-database.ts';
import { sqlInstance } from './kinds/sql-instance.ts';
import { sqlUser } from './kinds/sql-user.ts';
import { uptimeCheck } from './kinds/uptime-check.ts';

export const kindDrivers: { [K in Kind]: KindDriver<K> } = {
  api,
  connector,
  account,
  role,
  repository,
  bucket,
  'sql-instance': sqlInstance,
  'sql-database': sqlDatabase,
  'sql-user': sqlUser,
  secret,
  'audit-logs': auditLogs,
  'log-retention': logRetention,
  'uptime-check': uptimeCheck,
  'alert-policy': alertPolicy,
  'alert-channel': alertChannel,
  budget,
  service,
  job,
  cluster,
};
