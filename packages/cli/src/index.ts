export { run } from './run.ts'
export type { Cli, Output } from './cli.ts'
