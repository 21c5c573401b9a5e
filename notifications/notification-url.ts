import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The ports of service providers' receivers. Others belong to services that expect no notifications. */
const receiverPorts: readonly number[] = [443, 8443];

/** Where notifications may go. */
export interface AllowedReceivers {
  /** For the sandbox, where receivers run on the same machine, at any port and without TLS. */
  readonly allowLoopback: boolean;
  /** Default: 443 and 8443. */
  readonly ports?: readonly number[] | undefined;
}

/** Why a URL may not be notified. What a host name resolves to is checked when the connection is opened. */
export type UrlObstacle = 'not a URL' | 'not https' | 'user info' | 'port' | 'no public address';

/** @returns undefined for a URL that may be notified */
export function findUrlObstacle(url: string, receivers: AllowedReceivers): UrlObstacle | undefined {
  if (!URL.canParse(url)) return 'not a URL';
  const { protocol, username, password, port, hostname } = new URL(url);
  const { allowLoopback, ports = receiverPorts } = receivers;
  if (protocol !== 'https:' && !(allowLoopback && protocol === 'http:')) return 'not https';
  // Nobody would use it, and it would be stored in clear.
  if (username !== '' || password !== '') return 'user info';
  if (!allowLoopback && !ports.includes(port === '' ? 443 : Number(port))) return 'port';
  const literal = hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) && !isAllowedAddress(literal, receivers)) return 'no public address';
  return undefined;
}

/** Whether a notification may be sent to an address. */
export function isAllowedAddress(address: string, { allowLoopback }: AllowedReceivers): boolean {
  return isPublic(address) || (allowLoopback && isLoopback(address));
}

/**
 * Whether an address is global unicast: in none of the blocks of IANA's special-purpose registries (RFC 6890), and for IPv6
 * in 2000::/3, the only block that is given out.
 */
export function isPublic(address: string): boolean {
  const parsed = ipaddr.parse(address);
  const isGivenOut = parsed.kind() === 'ipv4' || parsed.match(ipaddr.parseCIDR('2000::/3'));
  return isGivenOut && parsed.range() === 'unicast';
}

function isLoopback(address: string): boolean {
  return ipaddr.process(address).range() === 'loopback';
}
