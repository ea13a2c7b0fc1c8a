/* What no part of a simulated run may use: time and chance that do not come from the seed. */

const message = (name: string): string =>
  `${name} was used in a simulated run: time and chance come from the seed only`

const forbidden = (name: string) => (): never => {
  throw new Error(message(name))
}

/** The real thing, kept for the simulator's own use. */
export const realSetImmediate = setImmediate
const RealDate = Date

class GuardedDate extends RealDate {
  constructor(...values: readonly unknown[]) {
    if (values.length === 0) throw new Error(message('new Date()'))
    super(...(values as [number]))
  }

  static override now(): number {
    throw new Error(message('Date.now'))
  }
}

type Undo = () => void

function replace<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): Undo {
  const before = target[key]
  target[key] = value
  return () => {
    target[key] = before
  }
}

/** Until the returned function is called, whoever asks the machine for the time or a random number fails. */
export function forbidRealTime(): Undo {
  const timers = ['setTimeout', 'setInterval', 'setImmediate'] as const
  const undos = [
    replace(globalThis, 'Date', GuardedDate as unknown as DateConstructor),
    replace(Math, 'random', forbidden('Math.random')),
    replace(performance, 'now', forbidden('performance.now')),
    ...timers.map((name) => replace(globalThis, name, forbidden(name) as never)),
  ]
  return () => {
    for (const undo of undos) undo()
  }
}
