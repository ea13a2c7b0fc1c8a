import { connect } from 'node:net'

import { withShortPath } from '../node/short-path.ts'

const deadlineMs = 5000
const longestAnswer = 64 * 1024 * 1024

/** Sends one line to the socket of HAProxy's master and resolves with everything that it answers. */
export function askMaster(path: string, line: string): Promise<string> {
  return withShortPath(path, (short) => ask(short, line))
}

function ask(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const chunks: Buffer[] = []
    let length = 0
    const deadline = setTimeout(
      () => socket.destroy(new Error(`HAProxy has not answered within ${deadlineMs} ms`)),
      deadlineMs,
    )
    socket.on('connect', () => socket.end(`${line}\n`))
    socket.on('data', (chunk) => {
      length += chunk.length
      if (length > longestAnswer) socket.destroy(new Error('HAProxy answers without end'))
      chunks.push(chunk)
    })
    socket.on('error', reject)
    socket.on('close', () => {
      clearTimeout(deadline)
      resolve(Buffer.concat(chunks).toString())
    })
  })
}
