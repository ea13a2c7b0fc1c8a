import Type, { type Static } from 'typebox'

import { canonicalHash } from '../canonical.ts'
import {
  Health,
  EnvValue,
  Port,
  Resources,
  Restart,
  Security,
  Stop,
  type ServiceSpec,
} from './spec.ts'

/** An image as admitted: what people wrote, and the digest that is deployed. */
export const Image = Type.Object({
  /** As written, for people. */
  name: Type.String(),
  /** What an engine is asked for: `repository@sha256:…`, or an image id for a local image. */
  reference: Type.String(),
  /** `sha256:…`: the manifest's digest, or the image id of a local image. */
  digest: Type.String(),
  /** True when the image exists on the engines only and is never pulled. */
  local: Type.Boolean(),
})
export type Image = Static<typeof Image>

/** What makes a container: two specs with equal templates need no replacement of instances. */
export const Template = Type.Object({
  zone: Type.String(),
  image: Image,
  command: Type.Array(Type.String()),
  args: Type.Array(Type.String()),
  env: Type.Record(Type.String(), EnvValue),
  ports: Type.Record(Type.String(), Port),
  resources: Resources,
  health: Health,
  restart: Restart,
  stop: Stop,
  exclusive: Type.Boolean(),
  secrets: Type.Array(Type.Object({ name: Type.String(), path: Type.String() })),
  volumes: Type.Array(Type.Object({ name: Type.String(), path: Type.String() })),
  security: Security,
  /** Raised by `restart SERVICE`: the same spec, new containers. */
  generation: Type.Integer(),
})
export type Template = Static<typeof Template>

/** Takes from a spec what makes its containers. */
export function templateOf(spec: ServiceSpec, image: Image, generation: number): Template {
  const { zone, command, args, env, resources, health, restart, stop } = spec
  const { exclusive, secrets, volumes, security } = spec
  return {
    zone,
    image,
    command,
    args,
    env,
    ports: containerPorts(spec),
    resources,
    health,
    restart,
    stop,
    exclusive,
    secrets,
    volumes,
    security,
    generation,
  }
}

/** Without how they are offered, which is nothing to a container. */
const containerPorts = ({ ports }: ServiceSpec): Template['ports'] =>
  Object.fromEntries(
    Object.entries(ports).map(([name, { port, protocol, host }]) => [
      name,
      { port, protocol, host },
    ]),
  )

/** Equal for templates that make equal containers; the image counts by its digest, not by its tag. */
export function templateHash(template: Template): string {
  return canonicalHash({ ...template, image: template.image.digest })
}
