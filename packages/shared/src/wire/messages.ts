import Type, { type Static } from 'typebox'

import { Observed } from '../model/instance.ts'
import { NodeFacts } from '../model/node.ts'
import { Template } from '../spec/template.ts'
import { EndpointTable } from './endpoints.ts'
import { Policy } from './policy.ts'

/**
 * What an agent and the control plane say to each other over one WebSocket that the agent opened, as JSON, one
 * message a frame. Order: hello → welcome → inventory → full assignments → deltas. Either side closes on a
 * message that does not fit these schemas.
 */

export const wireVersion = 2
/** Larger frames are refused by both sides. */
export const maxFrameBytes = 16 * 1024 * 1024

const Text = Type.String({ maxLength: 4096 })
const Name = Type.String({ minLength: 1, maxLength: 255 })
const object = <T extends Type.TProperties>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })

/** What is wanted of one instance. Sent for instances to run and, until they are gone, for those to stop. */
export const Assignment = object({
  instance: Name,
  /** `ENVIRONMENT/NAME` */
  service: Name,
  slot: Type.Integer({ minimum: 0 }),
  revision: Type.Integer({ minimum: 1 }),
  desired: Type.Union([Type.Literal('run'), Type.Literal('stop')]),
  cause: Text,
  /** Wall-clock milliseconds of the agent's host, translated by the control plane; not started before. */
  startAtMs: Type.Number(),
  attempt: Type.Integer({ minimum: 0 }),
  hostPorts: Type.Record(Type.String(), Type.Integer()),
  template: Template,
})
export type Assignment = Static<typeof Assignment>

/** What the agent knows of one instance: always the whole of it, so that the latest one is enough. */
export const InstanceReport = object({
  instance: Name,
  service: Name,
  slot: Type.Integer({ minimum: 0 }),
  revision: Type.Integer({ minimum: 1 }),
  /**
   * The instance of this lineage that the control plane last assigned: the report's own id, or that of a
   * predecessor when the agent has replaced it since.
   */
  origin: Name,
  /** The instance that this one directly replaced on the agent's own decision; null when assigned. */
  predecessor: Type.Union([Name, Type.Null()]),
  attempt: Type.Integer({ minimum: 0 }),
  startAtMs: Type.Number(),
  hostPorts: Type.Record(Type.String(), Type.Integer()),
  observed: Observed,
})
export type InstanceReport = Static<typeof InstanceReport>

export const RegistryAccess = object({
  host: Name,
  insecure: Type.Boolean(),
  username: Type.Union([Type.String(), Type.Null()]),
  password: Type.Union([Type.String(), Type.Null()]),
})
export type RegistryAccess = Static<typeof RegistryAccess>

/** Wall-clock milliseconds of the agent's host when it was sent: the control plane translates times by it. */
const HostTime = Type.Optional(Type.Number())

const message = <K extends string, T extends Type.TProperties>(kind: K, properties: T) =>
  object({ kind: Type.Literal(kind), ...properties })

/** A stream is one `logs` or `exec` on behalf of an operator; ids are chosen by the control plane. */
const StreamId = Type.Integer({ minimum: 1 })

export const FromAgent = {
  hello: message('hello', {
    wireVersion: Type.Integer(),
    facts: NodeFacts,
    /** Random per start of the agent's process: a newer session of the node ends an older one. */
    bootId: Name,
    nowMs: HostTime,
  }),
  inventory: message('inventory', {
    reports: Type.Array(InstanceReport),
    /** Containers on the engine without our labels: reported, never touched. */
    unmanaged: Type.Integer(),
    /** The engine has not told yet what is there: what is missing here may run all the same. */
    isPartial: Type.Optional(Type.Boolean()),
  }),
  status: message('status', {
    /** Counts up within the session; acknowledged once it is durable. */
    sequence: Type.Integer(),
    reports: Type.Array(InstanceReport),
  }),
  heartbeat: message('heartbeat', {
    sequence: Type.Integer(),
    /** Empty when the engine answers, else why it does not. */
    engineProblem: Text,
    nowMs: HostTime,
  }),
  /** What the node says of itself has changed since `hello`. */
  facts: message('facts', { facts: NodeFacts }),
  /** The agent's chain of deltas is broken: send everything. */
  resync: message('resync', { reason: Text }),
  /** Everything on the node that sends traffic by endpoint tables (proxy, DNS, discovery) goes by this revision. */
  'endpoints-applied': message('endpoints-applied', { revision: Type.Integer() }),
  /** Something that operators should know of: becomes an event of the node. */
  notice: message('notice', { action: Name, reason: Text }),
  /** What the node's proxy has sent to instances since the last such message: for the judgement of a new revision. */
  traffic: message('traffic', {
    instances: Type.Array(
      object({
        instance: Name,
        requests: Type.Integer({ minimum: 0 }),
        /** Answers 500 to 599, and connections that failed. */
        errors: Type.Integer({ minimum: 0 }),
        connections: Type.Integer({ minimum: 0 }),
        bytesIn: Type.Integer({ minimum: 0 }),
        bytesOut: Type.Integer({ minimum: 0 }),
      }),
      { maxItems: 10_000 },
    ),
  }),
  'stream-data': message('stream-data', {
    stream: StreamId,
    channel: Type.Union([Type.Literal('stdout'), Type.Literal('stderr')]),
    /** Base64. */
    data: Type.String(),
  }),
  'stream-end': message('stream-end', {
    stream: StreamId,
    /** Of an exec; null for logs. */
    exitCode: Type.Union([Type.Integer(), Type.Null()]),
    /** Empty when it ended well. */
    error: Text,
  }),
} as const

export const ToAgent = {
  welcome: message('welcome', {
    wireVersion: Type.Integer(),
    cluster: Name,
    node: Name,
    heartbeatMs: Type.Integer(),
    /** How long an answered heartbeat lets the agent keep its exclusive instances, from when it was sent. */
    leaseMs: Type.Integer({ minimum: 1 }),
    registries: Type.Array(RegistryAccess),
  }),
  assignments: message('assignments', {
    /** Null: this is the full set, and what is not in it is to be removed. Else the revision that it builds on. */
    from: Type.Union([Type.Integer(), Type.Null()]),
    revision: Type.Integer(),
    upserts: Type.Array(Assignment),
    /** The control plane is done with these; the agent forgets them and removes what is left. */
    removes: Type.Array(Name),
  }),
  endpoints: message('endpoints', {
    /** True: replaces all tables; false: replaces the named services' tables, each as a whole. */
    full: Type.Boolean(),
    revision: Type.Integer(),
    tables: Type.Array(EndpointTable),
  }),
  /** Replaces the policy that the agent has. */
  policy: message('policy', { policy: Policy }),
  /** All secrets that the node needs, in place of those that it has. */
  secrets: message('secrets', {
    secrets: Type.Array(
      object({
        /** `ENVIRONMENT/NAME` */
        key: Name,
        version: Type.Integer({ minimum: 1 }),
        /** Base64. */
        value: Type.String({ maxLength: 131_072 }),
      }),
      { maxItems: 1000 },
    ),
  }),
  'status-ack': message('status-ack', { sequence: Type.Integer() }),
  'heartbeat-ack': message('heartbeat-ack', { sequence: Type.Integer() }),
  'stream-open': message('stream-open', {
    stream: StreamId,
    instance: Name,
    request: Type.Union([
      object({
        kind: Type.Literal('logs'),
        follow: Type.Boolean(),
        sinceMs: Type.Union([Type.Number(), Type.Null()]),
        tail: Type.Union([Type.Integer(), Type.Null()]),
      }),
      object({ kind: Type.Literal('exec'), command: Type.Array(Type.String()) }),
      object({ kind: Type.Literal('stats') }),
    ]),
  }),
  'stream-close': message('stream-close', { stream: StreamId }),
} as const

type Messages<T extends Record<string, Type.TSchema>> = Static<T[keyof T]>
export type FromAgentMessage = Messages<typeof FromAgent>
export type ToAgentMessage = Messages<typeof ToAgent>

export const FromAgentMessage = Type.Union(Object.values(FromAgent))
export const ToAgentMessage = Type.Union(Object.values(ToAgent))
