import { Packet } from 'dns2'

interface Writer {
  /** Where names stand that later ones point at. */
  names?: unknown
  write(value: number, bits: number): void
}

type Record = Packet['answers'][number]

/** How the library writes the data of records, by type. */
const codecs = Packet.Resource as unknown as {
  SRV: { encode(record: Record, writer: Writer): void }
}

/**
 * Has targets of SRV records written in full, as RFC 2782 wants it: the library shortens them like other names, and
 * there are programs that refuse such answers.
 */
export function writeTargetsInFull(): void {
  codecs.SRV.encode = (record, writer) => {
    writer.write(record.priority ?? 0, 16)
    writer.write(record.weight ?? 0, 16)
    writer.write(record.port ?? 0, 16)
    const { names } = writer
    delete writer.names
    Packet.Name.encode(record.target ?? '', writer as never)
    writer.names = names
  }
}
