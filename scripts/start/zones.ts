import { thisMachine } from '../../packages/agent/src/network/machine.ts'
import { Nft } from '../../packages/agent/src/network/nft.ts'

/** Why this machine's kernel cannot hold zones apart, as the agent will find; null when it can. */
export const whyUnheld = async (): Promise<string | null> =>
  (await thisMachine(new Nft()).whyUnenforced()) || null
