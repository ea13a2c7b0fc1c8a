import { availableParallelism } from 'node:os'

import type { HostProcess } from '../engines/host-process.ts'
import type { Hosts } from '../engines/hosts.ts'

const perCore = 2

/** Keeps every core busy with programs that never wait, until disposed. */
export function burnProcessors(hosts: Hosts): Disposable {
  const burners: HostProcess[] = Array.from({ length: perCore * availableParallelism() }, () =>
    hosts.exec(['sh', '-c', 'while :; do :; done']),
  )
  return {
    [Symbol.dispose]() {
      for (const burner of burners) burner.kill('SIGKILL')
    },
  }
}
