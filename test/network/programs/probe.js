// Tries to get an answer from each of the URLs in the first argument (a JSON array), all at once, and prints those
// that answered at all, as JSON. The second argument is the address to come from, if any.
import { request } from 'node:http'

const timeoutMs = 1500
const [urls, localAddress] = process.argv.slice(2)

function answers(url) {
  return new Promise((resolve) => {
    const options = { agent: false, ...(localAddress ? { localAddress } : {}) }
    const asked = request(url, options, (response) => {
      response.resume()
      response.once('end', () => resolve(true))
    })
    asked.once('error', () => resolve(false))
    asked.setTimeout(timeoutMs, () => asked.destroy())
    setTimeout(() => asked.destroy(), 2 * timeoutMs).unref()
    asked.end()
  })
}

const all = JSON.parse(urls)
const results = await Promise.all(all.map(answers))
process.stdout.write(JSON.stringify(all.filter((_url, index) => results[index])))
