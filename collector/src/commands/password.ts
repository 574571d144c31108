import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { environment } from '../config.ts'
import { readSecretFile } from '../state.ts'

/** The password from a file, from BEVIS_PASSWORD, or asked for; undefined when there is none of these. */
export async function readPassword(options: {
  passwordFile?: string
  prompt?: boolean
}): Promise<string | undefined> {
  if (options.passwordFile !== undefined) return readSecretFile(options.passwordFile).replace(/\r?\n$/, '')
  if (options.prompt === true) return askSilently('Password: ')
  return environment.password
}

/** Asks on the terminal without showing what is typed. */
async function askSilently(question: string): Promise<string> {
  process.stderr.write(question)
  const silent = new Writable({
    write(_chunk, _encoding, done) {
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
