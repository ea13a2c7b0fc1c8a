// Asks the URL in the first argument again and again over one connection, and writes a dot for each answer.
import { Agent, request } from 'node:http'

const everyMs = 100
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
let isWaiting = false

setInterval(() => {
  if (isWaiting) return
  isWaiting = true
  const asked = request(process.argv[2], { agent }, (response) => {
    response.resume()
    response.once('end', () => {
      isWaiting = false
      process.stdout.write('.')
    })
  })
  // A connection that is cut is not opened anew: what is asked for is whether this one goes on.
  asked.once('error', () => process.exit(1))
  asked.end()
}, everyMs)
