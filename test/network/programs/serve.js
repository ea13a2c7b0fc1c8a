// An HTTP server on all addresses, at the port that is the first argument.
import { createServer } from 'node:http'

createServer((_request, response) => response.end('here\n')).listen(Number(process.argv[2]), '::')
