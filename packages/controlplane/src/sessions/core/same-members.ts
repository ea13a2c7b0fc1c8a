/** Whether two lists have the same members, in whatever order. */
export function sameMembers(some: readonly string[], others: readonly string[]): boolean {
  return some.every((one) => others.includes(one)) && others.every((one) => some.includes(one))
}
