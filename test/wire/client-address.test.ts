import { expect, it } from 'vitest';
import { clientAddress } from '../../api/http/client-address.ts';

const nearest = '10.0.0.2';

it.for([
  ['without a proxy', 0, '198.51.100.1', nearest],
  ['behind one proxy', 1, '198.51.100.1, 203.0.113.7', '203.0.113.7'],
  ['behind two proxies', 2, '198.51.100.1, 203.0.113.7, 10.0.0.1', '203.0.113.7'],
  ['of IPv6', 1, '2001:db8::7', '2001:db8::7'],
  ['past the proxy', 1, undefined, nearest],
  ['with fewer entries than proxies', 3, '203.0.113.7', nearest],
  ['with something else than an address', 1, 'x"\n', nearest],
] as const)('the address of a client %s', ([, trustedProxies, forwarded, expected]) => {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  expect(clientAddress({ headers, socket: { remoteAddress: nearest } }, trustedProxies)).toBe(expected);
});
