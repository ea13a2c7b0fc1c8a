import { createHash, randomBytes } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'

import { WebSocket } from 'ws'

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, unknown>>
}

interface Asked {
  readonly url: string
  readonly agent?: Agent
  readonly method?: string
  readonly body?: Buffer
}

export function ask({ url, agent, method = 'GET', body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, ...(agent ? { agent } : { agent: false }) })
    request.on('error', reject)
    request.setTimeout(10_000, () => request.destroy(new Error('no answer for 10 s')))
    request.on('response', (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('error', reject)
      response.on('end', () => {
        if (!response.complete) return reject(new Error('the answer was cut off'))
        return resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers })
      })
    })
    request.end(body)
  })
}

/** What the clients of a load have seen. */
export interface Load {
  readonly answered: Readonly<Record<string, number>>
  readonly failures: readonly string[]
  stop(): Promise<void>
}

const largeBytes = 2 * 1024 * 1024

/** Clients of every kind, until told to stop: each expects that everything it asks for is answered rightly. */
export function startLoad(url: string): Load {
  const answered: Record<string, number> = {}
  const failures: string[] = []
  const stopped = new AbortController()
  const body = randomBytes(largeBytes)
  const digest = createHash('sha256').update(body).digest('hex')
  const loop = async (
    kind: string,
    once: () => Promise<string | null>,
    pauseMs: number,
  ): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        const problem = await once()
        if (problem === null) answered[kind] = (answered[kind] ?? 0) + 1
        else failures.push(`${kind}: ${problem}`)
      } catch (error) {
        failures.push(`${kind}: ${(error as Error).message}`)
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  const expect = (answer: Answer, wanted?: string): string | null => {
    if (answer.status !== 200) return `status ${answer.status}`
    return wanted === undefined || answer.body === wanted ? null : 'another answer'
  }
  const keepAlive = (): (() => Promise<string | null>) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    return async () => expect(await ask({ url, agent }))
  }
  const slow = async () => expect(await ask({ url: `${url}/slow?ms=700` }), 'begun')
  const send = async () => expect(await ask({ url, method: 'POST', body }), digest)
  const large = async () => {
    const answer = await ask({ url: `${url}/large?bytes=${largeBytes}` })
    return expect(answer) ?? (answer.body.length === largeBytes ? null : 'another length')
  }
  const loops = [
    ...Array.from({ length: 4 }, () => loop('keep-alive', keepAlive(), 1)),
    // So rarely that its connection is idle when processes of the proxy are replaced.
    ...Array.from({ length: 4 }, () => loop('idle', keepAlive(), 400)),
    ...Array.from({ length: 2 }, () => loop('one-shot', async () => expect(await ask({ url })), 2)),
    ...Array.from({ length: 4 }, () => loop('slow', slow, 1)),
    loop('upload', send, 20),
    loop('download', large, 20),
    ...Array.from({ length: 4 }, () =>
      loop('websocket', () => talk(url, () => !stopped.signal.aborted), 1),
    ),
  ]
  return {
    answered,
    failures,
    async stop() {
      stopped.abort()
      await Promise.all(loops)
    },
  }
}

/** One WebSocket, until the other side goes away as it should or nobody wants more. */
function talk(url: string, isWanted: () => boolean): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace('http', 'ws'))
    let sent = 0
    let heard = 0
    const timer = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return
      if (!isWanted()) return socket.close(1000)
      sent += 1
      socket.send(String(sent))
    }, 20)
    socket.on('message', (data: Buffer) => {
      heard += 1
      const text = data.toString()
      if (text !== String(heard)) resolve(`heard ${text} instead of ${heard}`)
    })
    socket.on('error', (error) => resolve(error.message))
    socket.on('close', (code) => {
      clearInterval(timer)
      resolve(
        code === 1000 || code === 1001 ? null : `closed with ${code} after ${heard} of ${sent}`,
      )
    })
  })
}
