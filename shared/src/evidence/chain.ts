/** The `prev` of the first statement of all: no statement hashes to it. */
export const ZERO_DIGEST = '0'.repeat(64)
