import { execFile } from 'node:child_process'
import { environment } from '../config.ts'

/** What systemd is told about the service; nothing happens where no systemd listens. */
export interface Notifier {
  ready(): void
  stopping(): void
  /** Says that we live, twice in each span of the watchdog, as long as `isWell` says so. */
  watch(isWell: () => boolean): void
  close(): void
}

/**
 * sd_notify(3) through its command: Node has no datagram sockets of the Unix kind. The unit needs NotifyAccess=all.
 */
export function openNotifier(onError: (error: Error) => void): Notifier {
  const { notifySocket, watchdogMicroseconds } = environment
  let timer: NodeJS.Timeout | undefined
  const notify = (...states: string[]): void => {
    if (notifySocket === undefined) return
    execFile('systemd-notify', states, { timeout: 10_000 }, (error) => error && onError(error))
  }
  return {
    ready: () => notify('--ready', '--status=at work'),
    stopping: () => notify('STOPPING=1'),
    watch(isWell) {
      if (!Number.isFinite(watchdogMicroseconds) || watchdogMicroseconds <= 0) return
      timer = setInterval(() => isWell() && notify('WATCHDOG=1'), watchdogMicroseconds / 2000)
    },
    close: () => clearInterval(timer),
  }
}
