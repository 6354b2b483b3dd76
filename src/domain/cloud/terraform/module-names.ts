/** What the modules of environments are called: environments by their names, modules by what Terraform allows. */
export function moduleNames(environments: readonly { environment: string }[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const { environment } of environments) {
    const wanted = environment
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replace(/^(?![a-z])/, 'e_');
    let name = wanted;
    for (let count = 2; [...names.values()].includes(name); count++) name = `${wanted}_${count}`;
    names.set(environment, name);
  }
  return names;
}

export const nameIn = (names: ReadonlyMap<string, string>, { environment }: { environment: string }): string =>
  names.get(environment) ?? environment;
