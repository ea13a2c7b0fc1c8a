/** The user, or the system, asked the program to end. */
export class Interrupted extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super('interrupted')
    this.name = 'Interrupted'
    this.exitCode = exitCode
  }
}
