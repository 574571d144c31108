import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * Why each test was skipped, then the closing line that people and continuous integration read: `N passed, N failed, N skipped`, alone on the
 * last line. A file that could not be loaded and an error outside any test count as failures.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 }
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed += 1
      for (const test of module.children.allTests()) {
        const result = test.result()
        counts[result.state === 'pending' ? 'skipped' : result.state] += 1
        if (result.state === 'skipped')
          process.stdout.write(`skipped: ${test.fullName}: ${result.note ?? 'no reason given'}\n`)
      }
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) counts.failed += 1
    }
    const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`
    // At exit, so that no reporter's summary comes after it.
    process.once('exit', () => process.stdout.write(line))
  }
}
