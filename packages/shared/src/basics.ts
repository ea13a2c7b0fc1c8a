/** An entry of its own, for programs that are to stay small: it loads no schemas. */
export * from './clock.ts'
export * from './ids.ts'
export * from './spec/cidr.ts'
