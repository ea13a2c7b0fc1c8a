/** What a person or a service unit says when starting an agent. Everything but `data` is optional once joined. */
export interface AgentOptions {
  readonly data: string
  readonly server?: string | undefined
  /** A join token; used once. */
  readonly token?: string | undefined
  readonly name?: string | undefined
  readonly zones?: readonly string[] | undefined
  readonly environments?: readonly string[] | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** The physical machine. */
  readonly host?: string | undefined
  /** `unix:///…` */
  readonly docker?: string | undefined
  readonly address?: string | undefined
  /** A YAML file with the same and more. */
  readonly config?: string | undefined
}
