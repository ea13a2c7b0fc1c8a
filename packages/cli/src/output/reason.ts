import { cleanText } from './text.ts'

/** A reason of a service for where the count of healthy instances, with which it begins, stands beside it. */
export const briefReason = (reason: string): string =>
  cleanText(reason.replace(/^[0-9]+ of [0-9]+ healthy(; |$)/, ''))
