import type { IncomingMessage } from 'node:http'

import { BulkheadError, NodeFacts, beatKey, maxFrameBytes } from '@bulkhead/shared'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Compile } from 'typebox/compile'
import { WebSocketServer, type WebSocket } from 'ws'

import { tellOfExternals } from '../../admission/core/external-problems.ts'
import type { Connection } from '../../sessions/connection.ts'
import { maxFactsCharacters } from '../../sessions/session.ts'
import { TextEncoding } from '../../sessions/text-encoding.ts'
import type { Transaction } from '../../state/view.ts'
import { authenticate, authorize, mintToken, type Principal } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { refuseSocket } from '../unrouted.ts'

const namePattern = '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$'
const sessionPath = '/v1/agent/session'

export const isSessionUpgrade = ({ url, headers }: IncomingMessage): boolean =>
  url === sessionPath && headers.upgrade?.toLowerCase() === 'websocket'

function checkFacts(tx: Transaction, facts: NodeFacts): void {
  if (JSON.stringify(facts).length > maxFactsCharacters) {
    throw new BulkheadError('too-large', `the facts of the node have more than ${maxFactsCharacters} characters`, 'give it fewer labels')
  }
  const zones = Object.keys(tx.zones.zones)
  const unknown = facts.zones.find((zone) => !zones.includes(zone))
  if (unknown !== undefined) {
    throw new BulkheadError('bad-request', `zone ${unknown} is not declared`, `the zones are ${zones.join(', ')}`)
  }
}

/** Makes or renews the node and returns its token. A join token serves any number of nodes until it expires. */
function join(tx: Transaction, principal: Principal, name: string, facts: NodeFacts, connected: boolean): string {
  const { node, zone } = principal.token
  if (node !== null && node !== name) {
    throw new BulkheadError('not-allowed', `the token is for node ${node}, not ${name}`, 'make another one: bulkhead token create --node')
  }
  if (zone !== null && facts.zones.some((wanted) => wanted !== zone)) {
    throw new BulkheadError('not-allowed', `the token is for zone ${zone} only`, 'make another one: bulkhead token create --node')
  }
  checkFacts(tx, facts)
  const known = tx.nodes.get(name)
  if (known && connected) {
    throw new BulkheadError('conflict', `a node named ${name} is connected already`, 'choose another --name, or stop that agent first')
  }
  for (const token of Array.from(tx.tokens.values())) {
    if (token.kind === 'node' && token.node === name) tx.deleteToken(token.id)
  }
  tx.putNode({
    name,
    facts,
    labels: known?.labels ?? {},
    liveness: 'suspect',
    livenessReason: 'it has joined and has not connected yet',
    livenessSinceMs: tx.nowMs,
    confirmedDead: false,
    admittance: known?.admittance ?? 'open',
    drainDueAtMs: known?.drainDueAtMs ?? null,
    joinedAtMs: known?.joinedAtMs ?? tx.nowMs,
  })
  tx.event({ kind: 'Node', subject: name, action: known ? 'rejoined' : 'joined', reason: `zones ${facts.zones.join(', ')}` })
  if (known?.facts.address !== facts.address) tellOfExternals(tx, name, facts.address)
  return mintToken(tx, { kind: 'node', node: name, zone: null, expiresAtMs: null })
}

function connectionOf(socket: WebSocket, encoder: TextEncoding): Connection {
  return {
    send: (text) => socket.send(encoder.encode(text), { binary: false }),
    close: (code, reason) => {
      socket.close(code, reason)
    },
    get bufferedBytes() {
      return socket.bufferedAmount
    },
  }
}

function acceptSessions(app: FastifyInstance, deps: ApiDeps): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, perMessageDeflate: false })
  const encoder = new TextEncoding()
  sockets.on('wsClientError', (error, socket) => {
    refuseSocket(socket, new BulkheadError('bad-request', error.message, 'connect with an agent'))
  })
  app.server.on('upgrade', (request, socket, head) => {
    let principal: Principal
    try {
      principal = authenticate(deps.state.view, request.headers.authorization, deps.clock.nowMs())
      authorize(principal, 'agent')
    } catch (error) {
      if (!(error instanceof BulkheadError)) throw error
      refuseSocket(socket, error)
      return
    }
    const { node, hash } = principal.token
    if (node === null || !deps.state.view.nodes.has(node)) {
      refuseSocket(socket, new BulkheadError('not-allowed', `there is no node ${node}`, 'join again'))
      return
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const session = deps.hub.open(node, connectionOf(opened, encoder), beatKey(Buffer.from(hash, 'hex')))
      opened.on('message', (data) => session.receive((data as Buffer).toString()))
      opened.on('close', () => deps.hub.closed(session))
      opened.on('error', (error) => deps.logger.warn({ node, error: error.message }, 'the connection of an agent failed'))
    })
  })
  app.addHook('onClose', () => {
    deps.hub.closeAll()
    for (const socket of sockets.clients) socket.terminate()
    sockets.close()
  })
}

/** How a node joins, and where its agent connects. */
export function agentRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const facts = Compile(NodeFacts)
  app.post<{ Body: { name: string; facts: NodeFacts } }>(
    '/v1/agent/join',
    {
      config: { permission: 'join' },
      schema: {
        body: {
          type: 'object',
          required: ['name', 'facts'],
          additionalProperties: false,
          properties: { name: { type: 'string', pattern: namePattern }, facts: { type: 'object' } },
        },
      },
    },
    async (request: FastifyRequest<{ Body: { name: string; facts: NodeFacts } }>) => {
      const { name, facts: stated } = request.body
      const { principal } = request
      if (!facts.Check(stated)) {
        const [problem] = facts.Errors(stated)
        throw new BulkheadError('bad-request', `facts${problem?.instancePath ?? ''} ${problem?.message ?? 'are not valid'}`, 'use an agent of the same version')
      }
      if (!principal) throw new BulkheadError('not-authenticated', 'no token was sent')
      const connected = deps.hub.get(name) !== undefined
      const token = await deps.state.write({ actor: `node:${name}` }, (tx) => join(tx, principal, name, stated, connected))
      return { token, node: name, cluster: deps.state.view.cluster }
    },
  )
  acceptSessions(app, deps)
}
