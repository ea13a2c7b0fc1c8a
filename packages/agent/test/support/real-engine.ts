import { request } from 'node:http'

const named = process.env['BULKHEAD_TEST_DOCKER'] ?? ''

/** Path of a real engine's socket; null when none is named. */
export const testDocker = named === '' ? null : named.replace(/^unix:\/\//, '')

/** An image on it with a shell and the usual small programs. */
export const testImage = process.env['BULKHEAD_TEST_IMAGE'] ?? 'bb:1'

/** One that serves HTTP by Node.js, whose programs look names up as most do: by the C library. */
export const testNodeImage = process.env['BULKHEAD_TEST_NODE_IMAGE'] ?? 'node:1'

/** The engine's own words, past everything that is under test. */
export function callDocker(method: string, path: string, body?: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: testDocker ?? '', method, path, headers }, (response) => {
      let text = ''
      response.on('data', (data: Buffer) => (text += data.toString()))
      response.on('end', () => resolve(text === '' ? null : JSON.parse(text)))
    })
    call.on('error', reject)
    call.end(body && JSON.stringify(body))
  })
}
