/** An entry of its own: it loads ajv, which only validation needs. */
export { alternatives, hint, shownValue } from './spec/validation/shown.ts'
export * from './spec/validate.ts'
export type { Problem } from './spec/validation/problem.ts'
export type { SetProblem } from './spec/validation/document-set.ts'
