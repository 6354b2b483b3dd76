/** Which environment of which project. */
export interface Scope {
  project: string;
  environment: string;
}
