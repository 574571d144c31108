import { expect, test } from 'vitest'
import { parseConfig } from './config.ts'

const least = 'origin: collector.example.net/log\npublicUrl: https://collector.example.net/\n'

test('the least configuration is two lines', () => {
  expect(parseConfig(least, 'collector.yaml')).toMatchObject({
    listen: { host: '127.0.0.1', port: 8443 },
    state: '/var/lib/bevis-collector',
    checkpointFile: '/var/lib/bevis-collector/checkpoint.latest',
    publicUrl: 'https://collector.example.net',
    tick: 60_000,
  })
})

test('every problem is told with its line', () => {
  const text = 'listen: nowhere\norigin: a b\nstate: relative\npublicURL: x\ntick: often\n'
  const told = () => parseConfig(text, '/etc/bevis/collector.yaml')
  expect(told).toThrow(/collector.yaml:1:1: listen: host:port is needed/)
  expect(told).toThrow(/collector.yaml:2:1: origin/)
  expect(told).toThrow(/collector.yaml:3:1: state: an absolute path/)
  expect(told).toThrow(/collector.yaml:4:1: publicURL: unknown key/)
  expect(told).toThrow(/publicUrl: is missing/)
  expect(told).toThrow(/collector.yaml:5:1: tick: an ISO 8601 duration/)
})

test('an IPv6 address is listened on', () => {
  expect(parseConfig(`${least}listen: "[::1]:443"\n`, 'c.yaml').listen).toEqual({ host: '::1', port: 443 })
})

test('a key given twice is refused', () => {
  expect(() => parseConfig(`${least}origin: other\n`, 'c.yaml')).toThrow(/c.yaml:3:/)
})

test('what systemd hands over to the service keeps no command by hand from running', () => {
  const tls = 'tls: { key: $CREDENTIALS_DIRECTORY/secrets_key.pem, cert: /etc/bevis/cert.pem }\n'
  const { tls: read } = parseConfig(`${least}${tls}`, 'c.yaml')
  expect(read?.key).toBe('$CREDENTIALS_DIRECTORY/secrets_key.pem')
  expect(() => parseConfig(`${least}state: $HOME/x\n`, 'c.yaml')).toThrow(/absolute path/)
})
