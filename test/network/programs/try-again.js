// Tries to get an answer from each of the URLs in the first argument (a JSON array) over a new connection, again and
// again, and writes the place of each that has answered as one line.
import { request } from 'node:http'

const everyMs = 40
const timeoutMs = 400

function tryOne(url, index) {
  const asked = request(url, { agent: false }, (response) => {
    response.resume()
    process.stdout.write(`${index}\n`)
  })
  asked.once('error', () => {})
  setTimeout(() => asked.destroy(), timeoutMs)
  asked.end()
}

for (const [index, url] of JSON.parse(process.argv[2]).entries())
  setInterval(() => tryOne(url, index), everyMs)
process.stdout.write('begun\n')
