/** Options that several commands have, and how what is given to one is read. */
import { InvalidArgumentError, Option } from 'commander'

/** `--language`, of `what`. */
export function languageOption(what: string, standard: 'da' | 'en'): Option {
  return new Option('--language <code>', what).choices(['da', 'en']).default(standard)
}

/** One more value of an option that may be given several times. */
export function collect(value: string, all: readonly string[]): string[] {
  return [...all, value]
}

export function readWhole(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('a whole number above zero is needed')
  return Number(text)
}
