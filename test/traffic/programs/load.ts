import { Agent, request } from 'node:http'

/*
 * Clients of every kind, until SIGTERM. Once a second a line of JSON (see `Second`) tells what came of their requests.
 * TARGET (HOST:PORT) comes from the environment, and how many clients of each kind there are: KEEP_ALIVE, ONE_SHOT,
 * SLOW, LARGE, WEB_SOCKETS.
 */

const { env } = process
const target = env['TARGET'] ?? '127.0.0.1:8080'
const clients = (name: string, usual: number): number => Number(env[name] ?? usual)
const [host = '', port = '80'] = target.split(':')
const timeoutMs = 15_000
const largeBytes = 1_000_000
const pauseAfterFailureMs = 20
/** Between large bodies, which would leave no processor to anything else. */
const largeEveryMs = 100
const messageEveryMs = 50
/** Every one of their requests is balanced anew and answered at once: what the versions' shares are told from. */
const brief = new Set<Kind>(['keepAlive', 'oneShot'])
/** Close codes of a server that says that it is going away. */
const cleanCodes = new Set([1000, 1001, 1005, 1012])

type Kind = 'keepAlive' | 'oneShot' | 'slow' | 'upload' | 'download' | 'webSocket'

interface Second {
  readonly atMs: number
  readonly requests: Record<string, number>
  readonly versions: Record<string, number>
  readonly shares: Record<string, number>
  readonly failures: { readonly atMs: number; readonly kind: Kind; readonly why: string }[]
  readonly reconnects: number
  slowestMs: number
}

const newSecond = (): Second & { reconnects: number } => ({
  atMs: Date.now(),
  requests: {},
  versions: {},
  shares: {},
  failures: [],
  reconnects: 0,
  slowestMs: 0,
})

let second = newSecond()
const life = { isStopping: false }

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function count(kind: Kind, version: string, tookMs: number): void {
  second.requests[kind] = (second.requests[kind] ?? 0) + 1
  second.versions[version] = (second.versions[version] ?? 0) + 1
  if (kind !== 'slow') second.slowestMs = Math.max(second.slowestMs, Math.round(tookMs))
}

function fail(kind: Kind, why: string): void {
  second.requests[kind] = (second.requests[kind] ?? 0) + 1
  second.failures.push({ atMs: Date.now(), kind, why })
}

interface Order {
  readonly kind: Kind
  readonly path: string
  readonly agent: Agent | false
  readonly body?: Buffer
}

interface Answer {
  readonly status: number
  readonly version: string
  readonly body: string
  readonly length: number
}

function send({ path, agent, body }: Order): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const headers = body === undefined ? {} : { 'content-length': body.length }
    const outgoing = request({ host, port, path, method, headers, agent, timeout: timeoutMs }, (response) => {
      let length = 0
      let text = ''
      response.on('data', (data: Buffer) => {
        length += data.length
        if (length < 100) text += data.toString()
      })
      response.on('error', reject)
      response.on('aborted', () => reject(new Error('the answer was cut')))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, version: String(response.headers['x-version'] ?? ''), body: text, length }),
      )
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** By version, answers that are errors too. */
function share({ kind }: Order, { version }: Answer): void {
  if (brief.has(kind)) second.shares[version] = (second.shares[version] ?? 0) + 1
}

async function once(order: Order, check: (answer: Answer) => boolean): Promise<void> {
  const sinceMs = performance.now()
  try {
    const answer = await send(order)
    share(order, answer)
    if (answer.status !== 200) {
      fail(order.kind, `HTTP ${answer.status} of version ${answer.version}: ${answer.body.trim()}`)
    } else if (!check(answer)) fail(order.kind, `a wrong answer of ${answer.length} bytes`)
    else return count(order.kind, answer.version, performance.now() - sinceMs)
  } catch (error) {
    fail(order.kind, `${(error as NodeJS.ErrnoException).code ?? ''} ${(error as Error).message}`.trim())
  }
  await pause(pauseAfterFailureMs)
}

async function client(make: () => Order, check: (answer: Answer) => boolean = () => true): Promise<void> {
  while (!life.isStopping) {
    const order = make()
    await once(order, check)
    if (order.kind === 'upload' || order.kind === 'download') await pause(largeEveryMs)
  }
}

/** One WebSocket after the other; what is not answered is a failure unless the server has said that it goes away. */
async function webSocketClient(): Promise<void> {
  while (!life.isStopping) {
    await new Promise<void>((resolve) => {
      const socket = new WebSocket(`ws://${target}/ws`)
      let sentAtMs = 0
      let number = 0
      let isOpen = false
      const say = (): void => {
        if (life.isStopping) return socket.close()
        sentAtMs = performance.now()
        socket.send(String(++number))
      }
      socket.addEventListener('open', () => {
        isOpen = true
        say()
      })
      socket.addEventListener('message', ({ data }) => {
        const [version = '', echo = ''] = String(data).split(' ')
        if (echo === String(number)) count('webSocket', version, performance.now() - sentAtMs)
        else fail('webSocket', `answered ${echo} to ${number}`)
        setTimeout(() => socket.readyState === socket.OPEN && say(), messageEveryMs)
      })
      socket.addEventListener('close', ({ code }) => {
        if (!isOpen) fail('webSocket', 'could not connect')
        else if (!cleanCodes.has(code)) fail('webSocket', `cut with code ${code}`)
        second.reconnects += 1
        setTimeout(resolve, pauseAfterFailureMs)
      })
      socket.addEventListener('error', () => {})
    })
  }
}

const keepAlive = new Agent({ keepAlive: true, maxSockets: 256 })
const body = Buffer.alloc(largeBytes, 'y')

const start = (name: string, usual: number, run: () => Promise<void>): void => {
  for (let index = 0; index < clients(name, usual); index++) void run()
}

start('KEEP_ALIVE', 24, () => client(() => ({ kind: 'keepAlive', path: '/', agent: keepAlive })))
start('ONE_SHOT', 4, () => client(() => ({ kind: 'oneShot', path: '/', agent: false })))
start('SLOW', 4, () => client(() => ({ kind: 'slow', path: `/slow?ms=${100 + Math.floor(Math.random() * 1900)}`, agent: keepAlive })))
start('LARGE', 1, () => client(() => ({ kind: 'upload', path: '/', agent: keepAlive, body }), (answer) => answer.body === String(largeBytes)))
start('LARGE', 1, () => client(() => ({ kind: 'download', path: `/?bytes=${largeBytes}`, agent: keepAlive }), (answer) => answer.length === largeBytes))
start('WEB_SOCKETS', 4, webSocketClient)

const report = (): void => {
  process.stdout.write(`${JSON.stringify(second)}\n`)
  second = newSecond()
}
const reporting = setInterval(report, 1000)
process.on('SIGTERM', () => {
  life.isStopping = true
  clearInterval(reporting)
  setTimeout(() => {
    report()
    process.exit(0)
  }, 500)
})
