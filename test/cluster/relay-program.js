// Asks a published port of its own host for whoever is outside: GET /PORT/PATH is answered as http://HOST:PORT/PATH
// answers. HOST is the first argument, the second one the port to listen at.
import { createServer, request } from 'node:http'

const [host, listen] = process.argv.slice(2)

createServer((asked, answer) => {
  const [, port, ...path] = (asked.url ?? '').split('/')
  const fail = () => answer.headersSent || answer.writeHead(502).end()
  const inner = request({ host, port, path: `/${path.join('/')}`, agent: false }, (response) => {
    answer.writeHead(response.statusCode ?? 502)
    response.pipe(answer)
    response.once('error', fail)
  })
  inner.once('error', fail)
  answer.once('close', () => inner.destroy())
  inner.end()
}).listen(Number(listen), host)
