import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * Why each test was skipped, which failed and which passed only when played again, then the closing line that
 * people and continuous integration read: `N passed, N failed, N skipped`, alone on the last line. A file that
 * could not be loaded and an error outside any test count as failures.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 }
    const lines: string[] = unhandled.map(
      ({ message }) => `failed: outside any test: ${firstLine(message)}\n`,
    )
    for (const module of modules) {
      const errors = module.errors()
      if (errors.length > 0) {
        counts.failed += 1
        lines.push(`failed: ${module.relativeModuleId}: ${firstLine(errors[0]?.message)}\n`)
      }
      for (const test of module.children.allTests()) {
        const result = test.result()
        const name = `${module.relativeModuleId} > ${test.fullName}`
        counts[result.state === 'pending' ? 'skipped' : result.state] += 1
        if (result.state === 'skipped') lines.push(`skipped: ${name}: ${result.note ?? 'no reason given'}\n`)
        if (result.state === 'failed')
          lines.push(`failed: ${name}: ${firstLine(result.errors[0]?.message)}\n`)
        if (result.state === 'passed' && (test.diagnostic()?.retryCount ?? 0) > 0)
          lines.push(`failed once, then passed: ${name}: ${firstLine(result.errors?.[0]?.message)}\n`)
      }
      for (const suite of module.children.allSuites()) {
        const [error] = suite.errors()
        if (error === undefined) continue
        counts.failed += 1
        lines.push(`failed: ${module.relativeModuleId} > ${suite.fullName}: ${firstLine(error.message)}\n`)
      }
    }
    lines.push(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
    // At exit, so that no reporter's summary comes after it.
    process.once('exit', () => process.stdout.write(lines.join('')))
  }
}

function firstLine(message: string | undefined): string {
  return message?.split('\n', 1)[0] ?? 'no message'
}
