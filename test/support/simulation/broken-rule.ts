export class BrokenRule extends Error {
  constructor(rule: string, seen: unknown) {
    super(`${rule}: ${JSON.stringify(seen)}`);
    this.name = 'BrokenRule';
  }
}
