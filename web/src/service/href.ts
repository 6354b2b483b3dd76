interface Named {
  project: string;
  environment: string;
  service: string;
}

export const serviceHref = ({ project, environment, service }: Named): string =>
  `/projects/${encodeURIComponent(project)}/environments/${encodeURIComponent(environment)}/services/${encodeURIComponent(service)}`;
