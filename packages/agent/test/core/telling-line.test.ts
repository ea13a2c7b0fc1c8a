import t from 'tap'

import { tellingLine } from '../../src/core/telling-line.ts'

const cases: readonly (readonly [what: string, text: string, error: string, last: string])[] = [
  ['nothing', '', '', ''],
  ['blank lines', '\n \n', '', ''],
  ['no error', 'one\ntwo\n\n', 'two', 'two'],
  [
    'Node.js',
    "node:internal/modules/cjs/loader:1386\n  throw err;\n  ^\n\nError: Cannot find module '/app/nope.js'\n    at Function.load\n  code: 'MODULE_NOT_FOUND'\n}\n\nNode.js v24.21.0\n",
    "Error: Cannot find module '/app/nope.js'",
    'Node.js v24.21.0',
  ],
  [
    'Python',
    'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    raise ValueError("x")\nValueError: no DB_HOST\n',
    'ValueError: no DB_HOST',
    'ValueError: no DB_HOST',
  ],
  [
    'Go',
    'panic: no database\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:8 +0x2c\n',
    'panic: no database',
    '/src/main.go:8 +0x2c',
  ],
  [
    'Java',
    'Exception in thread "main" java.lang.IllegalStateException: no port\n\tat Main.main(Main.java:3)\n',
    'Exception in thread "main" java.lang.IllegalStateException: no port',
    'at Main.main(Main.java:3)',
  ],
  [
    'nginx',
    'starting\nnginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)\n',
    'nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)',
    'nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)',
  ],
  [
    'PostgreSQL',
    'LOG:  starting\nFATAL:  data directory "/data" has wrong ownership\nHINT:  The server must be started by its owner.\n',
    'FATAL:  data directory "/data" has wrong ownership',
    'HINT:  The server must be started by its owner.',
  ],
]

t.test('the line that says most', async (t) => {
  for (const [what, text, error, last] of cases) {
    t.equal(tellingLine(text, 'error'), error, what)
    t.equal(tellingLine(text, 'last'), last, what)
  }
})
