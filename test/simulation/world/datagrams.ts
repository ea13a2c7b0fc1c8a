import type { Datagrams } from '../../../packages/agent/src/index.ts'
import type { Random } from '../random.ts'
import type { SimControlPlane } from './control-plane.ts'
import type { Link } from './network.ts'
import type { Process } from './process.ts'

export interface DatagramDeps {
  readonly process: Process
  readonly link: Link
  readonly controlPlane: SimControlPlane
  readonly random: Random
}

/** Some come twice, or late. */
const twiceChance = 0.02

/** Single packets between a node and the control plane: each for itself is lost, late, or there. */
export function simDatagrams({ process, link, controlPlane, random }: DatagramDeps): Datagrams {
  const post = (isStalled: () => boolean, deliver: (delayMs: number) => void): void => {
    const copies = random.chance(twiceChance) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      if (!isStalled() && !random.chance(link.loss)) deliver(link.latencyMs())
    }
  }
  return {
    open: (_url, onDatagram) => {
      let isOpen = true
      return {
        send: (datagram) =>
          post(
            () => link.stalledUp,
            (upMs) => {
              const server = controlPlane.process
              server?.after(upMs, 'a beat arrives', () => {
                const answer = controlPlane.running?.hub.beats.receive(datagram)
                if (!answer) return
                post(
                  () => link.stalledDown,
                  (downMs) =>
                    process.after(downMs, 'a beat is answered', () => {
                      if (isOpen) onDatagram(answer)
                    }),
                )
              })
            },
          ),
        close: () => {
          isOpen = false
        },
      }
    },
  }
}
