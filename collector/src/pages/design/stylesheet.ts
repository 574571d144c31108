import { createHash } from 'node:crypto'
import { elementStyle } from './element-style.ts'
import { calendarStyle } from './calendar-style.ts'
import { layoutStyle } from './layout-style.ts'
import { partStyle } from './part-style.ts'
import { printStyle } from './print-style.ts'
import { tokens } from './tokens.ts'

/** The one style sheet. Its address changes with its content, so a browser may keep it for good. */
export const stylesheet = [tokens, elementStyle, layoutStyle, partStyle, calendarStyle, printStyle].join('')

const digest = createHash('sha256').update(stylesheet).digest('hex')

export const stylesheetPath = `/assets/bevis.${digest.slice(0, 12)}.css`
