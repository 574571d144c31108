/** Paths of snapshots, POSIX and Windows: `/srv/data`, `D:\Bilag`. */

/** True if `path` is `holder` or lies below it. */
export function liesIn(path: string, holder: string): boolean {
  const inner = trim(path)
  const outer = trim(holder)
  if (!inner.startsWith(outer)) return false
  return inner.length === outer.length || /[/\\]/.test(inner[outer.length] ?? '')
}

/** `/` and `D:\` become empty and `D:`, so that what lies below begins with them and a separator. */
function trim(path: string): string {
  return path.replace(/[/\\]+$/, '')
}

/** True if every required path is one of `paths` or lies below one. */
export function covers(paths: readonly string[], required: readonly string[]): boolean {
  return required.every((path) => paths.some((holder) => liesIn(path, holder)))
}
