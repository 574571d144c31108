/** The same keys, other words: what is missing, or too many, does not compile. */
export type Words<T> = { [K in keyof T]: T[K] extends string ? string : Words<T[K]> }
