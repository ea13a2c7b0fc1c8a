import { exampleNode } from './engine.ts'
import { run } from './program.ts'

/** Why containers of the example cannot look up names; empty when they can, and when the agent does not tell. */
export async function whyNoNames(context: string): Promise<string> {
  const { code, stdout } = await run(['get', 'nodes', exampleNode, '-o', 'json'], context)
  if (code !== 0) return ''
  const { network } = JSON.parse(stdout) as { network?: { namesReason?: string } }
  return network?.namesReason ?? ''
}

/** What it means for the example, and what to do about it. */
export const namesWarning = (why: string): string => `
WARNING: containers cannot look up names such as api.demo.bulkhead.
  why    ${why}
  so     the shop works all the same, because it finds its services over HTTP; a program that goes by names does not
  to do  \`ss -lnp sport = :53\` shows the program in the way. When the port is free names are served within a second,
         to containers that are made from then on: \`./bulkhead restart web -e demo\` makes new ones`
