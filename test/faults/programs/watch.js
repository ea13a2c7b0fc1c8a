// Asks the addresses in the first argument (a JSON array) for /healthz at the port in the second one, again and again,
// each time over a connection of its own, and writes a line for each answer: milliseconds since the epoch, address.
import { request } from 'node:http'

const everyMs = 25
const timeoutMs = 500
const [addresses, port] = process.argv.slice(2)

function ask(host) {
  const asked = request({ host, port, path: '/healthz', agent: false }, (response) => {
    response.resume()
    response.once('end', () => process.stdout.write(`${Date.now()} ${host}\n`))
  })
  asked.once('error', () => {})
  asked.setTimeout(timeoutMs, () => asked.destroy())
  asked.end()
}

setInterval(() => JSON.parse(addresses).forEach(ask), everyMs)
