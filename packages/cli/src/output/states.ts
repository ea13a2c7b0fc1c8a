import type { Style } from './style.ts'
import type { Cell } from './table.ts'

type Colour = keyof Style

/** Green: as it should be; yellow: on its way; red: needs somebody; dim: over. */
const colours: Readonly<Record<string, Colour>> = {
  converged: 'green',
  running: 'green',
  healthy: 'green',
  ready: 'green',
  completed: 'green',
  progressing: 'yellow',
  pending: 'yellow',
  assigned: 'yellow',
  pulling: 'yellow',
  created: 'yellow',
  starting: 'yellow',
  suspect: 'yellow',
  cordoned: 'yellow',
  draining: 'yellow',
  paused: 'yellow',
  degraded: 'red',
  blocked: 'red',
  unhealthy: 'red',
  failed: 'red',
  lost: 'red',
  down: 'red',
  'rolled-back': 'red',
  stopping: 'dim',
  stopped: 'dim',
  superseded: 'dim',
  unknown: 'dim',
  deleted: 'dim',
}

export function paintState(state: string, style: Style): string {
  const colour = colours[state]
  return colour === undefined ? state : style[colour](state)
}

export function stateCell(state: string, style: Style): Cell {
  const colour = colours[state]
  return { text: state, paint: colour === undefined ? undefined : style[colour] }
}
