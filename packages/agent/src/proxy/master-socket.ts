import { closeSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, dirname } from 'node:path'

/** The kernel takes no longer names of sockets. */
const longestPath = 100
const deadlineMs = 5000
const longestAnswer = 64 * 1024 * 1024

/** Sends one line to the socket of HAProxy's master and resolves with everything that it answers. */
export async function askMaster(path: string, line: string): Promise<string> {
  if (path.length <= longestPath) return ask(path, line)
  // Reached through an open descriptor of its directory, a name is short, however long the directory's own is.
  const directory = openSync(dirname(path), 'r')
  try {
    return await ask(`/proc/self/fd/${directory}/${basename(path)}`, line)
  } finally {
    closeSync(directory)
  }
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
