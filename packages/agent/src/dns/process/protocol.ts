import type { NameChange } from '../core/name-change.ts'
import type { Served } from '../name-serving.ts'

/** One message in each line, as JSON. */

/** What the agent says. */
export interface ServeMessage {
  /** Repeated in the answer. */
  readonly sequence: number
  readonly change: NameChange
}

/** What the process says. */
export type NamesMessage =
  /** First of all: the program that it runs, and with what. */
  | { readonly kind: 'hello'; readonly program: string }
  /** `sequence` is that of the change that every answer goes by; null: it listens where it could not before. */
  | { readonly kind: 'served'; readonly sequence: number | null; readonly served: Served }

export const encode = (message: ServeMessage | NamesMessage): string =>
  `${JSON.stringify(message)}\n`

/** Cuts what comes from a stream into lines. */
export class Lines {
  #rest = ''

  take(text: string): readonly string[] {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines
  }
}
