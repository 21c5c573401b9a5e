/*
 * Receives result notifications. Needs Node.js 22.18 or later, and jose: npm install jose
 *   node receiver.ts 4000 keys.json [other-keys.json]
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { compactDecrypt, importPKCS8 } from 'jose';

interface Keys {
  readonly aspId: string;
  readonly cryptoKeyId: string;
  readonly secretKey: string;
  /** PKCS#8 PEM. */
  readonly clientPrivateKey: string;
}

interface Result {
  readonly bankAccRegNo: string;
  readonly status: string;
  readonly response: { readonly code: string };
  readonly sequence: number;
}

const acknowledgement = '{"response":{"code":"000_000","description":"Success."}}';
const maxBodyBytes = 64 * 1024;
const algorithms = {
  keyManagementAlgorithms: ['RSA-OAEP-256'],
  contentEncryptionAlgorithms: ['A128GCM', 'A256GCM'],
};

/** The request is not a notification of the service. */
class Unverified extends Error {}

const [port, ...files] = process.argv.slice(2);
// While keys are changed there are two sets.
const keySets = new Map<string, Keys>();
for (const file of files) {
  const keys = JSON.parse(readFileSync(file, 'utf8')) as Keys;
  keySets.set(keys.cryptoKeyId, keys);
}

// The highest sequence of each registration. In production: a table, written in one transaction with the result.
const sequences = new Map<string, number>();

function store({ bankAccRegNo, status, response, sequence }: Result): string {
  if (bankAccRegNo.startsWith('TEST')) return 'test notification';
  if (sequence <= (sequences.get(bankAccRegNo) ?? 0)) return `repeated ${bankAccRegNo}`;
  sequences.set(bankAccRegNo, sequence);
  return `stored ${bankAccRegNo} ${status} ${response.code}`;
}

function verify({ headers }: IncomingMessage, body: Buffer): Keys {
  const keys = keySets.get(String(headers['x-km-crypto-key-id']));
  if (!keys || headers['x-km-user-aspid'] !== keys.aspId) throw new Unverified('unknown key or ASP ID');
  const [, mac] = /^KMV1:\d{17}:([A-Za-z0-9+/]{43}=)$/.exec(String(headers['x-km-tran-token'])) ?? [];
  const expected = createHmac('sha256', keys.secretKey).update(body).digest();
  if (!mac || !timingSafeEqual(Buffer.from(mac, 'base64'), expected)) throw new Unverified('wrong signature');
  return keys;
}

async function decrypt(body: Buffer, { clientPrivateKey }: Keys): Promise<Result> {
  try {
    const { encData } = JSON.parse(body.toString()) as { encData: string };
    const key = await importPKCS8(clientPrivateKey, 'RSA-OAEP-256');
    const { plaintext } = await compactDecrypt(encData, key, algorithms);
    // JSON.parse rounds a long userId. The registration number is enough to find the member.
    return JSON.parse(new TextDecoder().decode(plaintext)) as Result;
  } catch {
    throw new Unverified('not encrypted for this key');
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Without `destroyOnReturn: false` a refusal would break the connection before it is sent.
  const stream: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new Unverified('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function receive(request: IncomingMessage): Promise<string> {
  const body = await readBody(request);
  return store(await decrypt(body, verify(request, body)));
}

const server = createServer((request, response) => {
  receive(request).then(
    (outcome) => {
      process.stdout.write(`${outcome}\n`);
      return response.writeHead(200, { 'Content-Type': 'application/json' }).end(acknowledgement);
    },
    (error: unknown) => {
      // After a 500 the service sends the notification again.
      process.stderr.write(`refused: ${String(error)}\n`);
      return response.writeHead(error instanceof Unverified ? 400 : 500, { Connection: 'close' }).end();
    },
  );
});
server.listen(Number(port), () => process.stdout.write(`listening on ${port}\n`));
