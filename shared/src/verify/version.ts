/** The version that `bevis-verify --version` tells, as in the package.json (a test compares them). */
export const VERSION = '0.1.0'
