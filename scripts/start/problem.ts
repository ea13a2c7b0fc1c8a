/** What stands in the way of the example, for people: what, why and what to do next. */
export class StartProblem extends Error {
  constructor(what: string, why: string, advice: string) {
    super(`${what}: ${why}; ${advice}`)
    this.name = 'StartProblem'
  }
}
