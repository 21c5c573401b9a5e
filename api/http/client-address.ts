import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * The address of a client. Each trusted proxy has added the address that called it to the end of X-Forwarded-For; what
 * stands before that is only claimed.
 * @param trustedProxies how many proxies are in front
 */
export function clientAddress(
  {
    headers,
    socket,
  }: Pick<IncomingMessage, 'headers'> & { readonly socket: { readonly remoteAddress?: string | undefined } },
  trustedProxies: number,
): string {
  const nearest = socket.remoteAddress ?? 'unknown';
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  const hops = [...forwarded.map((hop) => hop.trim()), nearest];
  const address = hops.at(-1 - trustedProxies) ?? nearest;
  return isIP(address) ? address : nearest;
}
