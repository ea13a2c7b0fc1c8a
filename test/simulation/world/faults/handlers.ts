import type { FaultStep } from '../../scenario/scenario.ts'

export type FaultOf<K extends FaultStep['kind']> = FaultStep & { readonly kind: K }

export type FaultHandlers<K extends FaultStep['kind'] = FaultStep['kind']> = {
  readonly [Kind in K]: (step: FaultOf<Kind>) => void
}

/** Has `mend` called after `forMs`, unless the same place is broken anew before. */
export type Until = (place: string, forMs: number, mend: () => void) => void
