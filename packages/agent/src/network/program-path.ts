import { delimiter } from 'node:path'

/** Where programs of the system are: on some systems only the administrator's path leads to all of them. */
export const programPath = [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter)
