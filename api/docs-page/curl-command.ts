/** What a shell command sends. */
export interface ShellRequest {
  readonly url: string;
  /** Those that stay the same. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Signs the body. */
  readonly secretKey: string;
}

/** The headers that differ for every request, as the shell computes them. */
const computedHeaders = {
  'X-KM-Correlation-Id': '${now#??}-$(openssl rand -hex 4 | cut -c 1-7)',
  'X-KM-Tran-Token': 'KMV1:${now}000:$mac',
  'X-KM-Tran-Time': '$now',
  'X-KM-Time-Zone': 'UTC',
};

/**
 * Creates a shell command that sends a request. It dates and signs the request when it runs, so it stays valid:
 * with an encrypted body for ten minutes, else always.
 */
export function curlCommand({ url, headers, body, secretKey }: ShellRequest): string {
  const computed = Object.entries(computedHeaders).filter(([name]) => !Object.hasOwn(headers, name));
  const options = [
    ...Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...computed.map(([name, value]) => `-H "${name}: ${value}"`),
    '--data-raw "$body"',
  ];
  return [
    `body=${quote(body)}`,
    'now=$(date -u +%Y%m%d%H%M%S)',
    `mac=$(printf '%s' "$body" | openssl dgst -sha256 -hmac ${quote(secretKey)} -binary | base64)`,
    [`curl ${quote(url)}`, ...options].join(' \\\n  '),
  ].join('\n');
}

/** Quotes a text for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
