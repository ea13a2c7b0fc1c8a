/**
 * Node's HTTP modules. Importing `node:http` reads everything that it exports, and one of those things is a browser's
 * WebSocket, for which Node.js loads a second HTTP client: 13 MB that an agent has no use for.
 */
export const http = process.getBuiltinModule('node:http')
export const https = process.getBuiltinModule('node:https')
