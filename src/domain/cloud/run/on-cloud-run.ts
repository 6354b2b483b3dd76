import type { Project, ServiceConfig } from '../../project/project.ts';
import type { CloudConfig, CloudService } from '../config.ts';
import { accountEmail, connectionName, connectorName, imageOf } from '../names.ts';
import type { CloudRunConfig } from './config.ts';

/**
 * The project with everything that its services need to run on Cloud Run in each of them, so that it becomes part of
 * their releases. One revision is one instance to evenkeel, whatever it scales to by itself. Unchanged where nothing
 * runs there.
 */
export function onCloudRun(project: Project): Project {
  const { cloud } = project;
  if (cloud === undefined || !cloud.runsServices) return project;
  const connector = connectorName({ project: project.name, environment: project.environment.name });
  return {
    ...project,
    services: project.services.map((service) => {
      const there = cloud.services.find((each) => each.service === service.name);
      return there === undefined ? service : inCloud(service, configOf(cloud, there, connector));
    }),
  };
}

function inCloud(service: ServiceConfig, cloud: CloudRunConfig): ServiceConfig {
  const { scale: _, ...rest } = service;
  return {
    ...rest,
    // Files are served by a container as well.
    kind: service.kind === 'static' ? 'http' : service.kind,
    static: null,
    instances: 1,
    cloud,
  };
}

function configOf(cloud: CloudConfig, service: CloudService, connector: string): CloudRunConfig {
  const { project, region, network, database, secrets, labels } = cloud;
  return {
    project,
    region,
    name: service.name,
    public: service.public,
    port: service.port,
    memory: service.memory,
    cpu: service.cpu,
    minInstances: service.minInstances,
    maxInstances: service.maxInstances,
    timeoutS: service.timeoutS,
    concurrency: service.concurrency,
    account: accountEmail(cloud.account.name, cloud.project),
    sql: service.database && database !== null ? connectionName(cloud, database.instance) : null,
    network:
      network === null
        ? null
        : {
            name: network.name,
            connector:
              network.egress === 'connector' ? `projects/${project}/locations/${region}/connectors/${connector}` : null,
          },
    dockerfile: service.dockerfile,
    context: service.context,
    repository: imageOf(cloud, service.service),
    image: service.image,
    env: service.env,
    secrets,
    names: Object.fromEntries(cloud.services.map((each) => [each.service, each.name])),
    labels,
  };
}
