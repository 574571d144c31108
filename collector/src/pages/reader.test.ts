import { expect, test } from 'vitest'
import { scopeOf } from './reader.ts'

test.each([
  ['provider-admin', null, { all: true }],
  ['provider-operator', null, { all: true }],
  ['customer-admin', '12345674', { tenant: '12345674' }],
  ['customer-reader', '12345674', { tenant: '12345674' }],
  ['auditor', '12345674', { tenant: '12345674' }],
  ['provider-operator', '12345674', { tenant: '12345674' }],
  ['customer-admin', null, null],
  ['auditor', null, null],
] as const)('%s of %s sees %j', (role, tenant, scope) => {
  expect(scopeOf({ role, tenant })).toEqual(scope)
})
