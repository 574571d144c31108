import i18next from 'i18next'
import type { TFunction } from 'i18next'
import { da } from './da.ts'
import { en } from './en.ts'
import { formatsOf } from './format.ts'
import type { Formats } from './format.ts'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation'
    resources: { translation: typeof en }
  }
}

export const LANGUAGES = ['da', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

/** What a page needs to speak: words, and how dates and numbers are written, in one zone. */
export interface Locale extends Formats {
  readonly language: Language
  readonly t: TFunction
}

// With typed resources an unknown key fails tsc. `html` escapes, so i18next must not.
const catalogues = i18next.createInstance({
  lng: 'en',
  fallbackLng: 'en',
  resources: { en: { translation: en }, da: { translation: da } },
  interpolation: { escapeValue: false },
  initAsync: false,
})
await catalogues.init()

export const DEFAULT_ZONE = 'Europe/Copenhagen'

/** @param zone IANA name of the zone that instants are shown in */
export function localeOf(language: Language, zone: string = DEFAULT_ZONE): Locale {
  return { language, t: catalogues.getFixedT(language), ...formatsOf(language, zone) }
}

export function isLanguage(text: unknown): text is Language {
  return LANGUAGES.some((language) => language === text)
}

/** The language to use: what was chosen, else what the browser asks for (RFC 9110, 12.5.4), else Danish. */
export function chooseLanguage(chosen: string | undefined, acceptLanguage: string | undefined): Language {
  if (isLanguage(chosen)) return chosen
  const wishes = (acceptLanguage ?? '')
    .slice(0, 512)
    .split(',')
    .map((part) => {
      const [tag = '', ...options] = part.trim().toLowerCase().split(';')
      const quality = options
        .map((option) => /^\s*q=([\d.]+)$/.exec(option)?.[1])
        .find((q) => q !== undefined)
      return { language: tag.split('-')[0], quality: quality === undefined ? 1 : Number(quality) }
    })
    .filter((wish) => wish.quality > 0)
    .toSorted((a, b) => b.quality - a.quality)
  return wishes.map((wish) => wish.language).find(isLanguage) ?? 'da'
}
