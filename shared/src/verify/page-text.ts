/** verify.html. A bundle has it inside: it is put here when the bundle is made (deploy/bundle.ts). */
export const PAGE_TEXT: string | null = null
