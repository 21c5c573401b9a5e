import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { CompactEncrypt, compactDecrypt, importPKCS8, importSPKI } from 'jose';

/** A sandbox project as `GET /sandbox/credentials` gives it. */
export interface Project {
  readonly aspId: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly cryptoKeyId: string;
  readonly serverPublicKey: string;
  readonly clientPrivateKey: string;
  readonly members: readonly {
    readonly userId: string;
    readonly userName: string;
    readonly birthDate: string;
    readonly mobileNumber: string;
  }[];
}

/** An answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body. */
  readonly body: { readonly response: { readonly code: string; readonly description: string } } & Record<
    string,
    unknown
  >;
  readonly text: string;
}

/** What a test may alter of a request, to see it refused. */
export interface Alterations {
  readonly method?: string;
  /** Overrides headers; null leaves one out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Sent instead of the body that was signed. */
  readonly sentBody?: string | Uint8Array;
  /** Milliseconds added to the clock of the request's times. */
  readonly clockOffset?: number;
}

/** The headers of a request whose body is `body`, by the clock plus `clockOffset` ms. */
export function signedHeaders(
  project: Project,
  body: Uint8Array | string,
  clockOffset = 0,
): Record<string, string> {
  const now = new Date(Date.now() + clockOffset).toISOString().replace(/\D/g, '');
  const mac = createHmac('sha256', project.secretKey).update(body).digest('base64');
  return {
    'Content-Type': 'application/json',
    'X-KM-User-AspId': project.aspId,
    'X-KM-Access-Key': project.accessKey,
    'X-KM-Correlation-Id': `${now.slice(2, 14)}-${randomBytes(4).toString('hex').slice(0, 7)}`,
    'X-KM-Tran-Token': `KMV1:${now}:${mac}`,
    'X-KM-Tran-Time': now.slice(0, 14),
    'X-KM-Time-Zone': 'UTC',
  };
}

/**
 * Calls the API by the wire's own rules, written against the specification and apart from the project's client, so
 * that the two cannot be wrong together.
 */
export async function send(
  url: string,
  project: Project,
  path: string,
  body: string | Uint8Array,
  alterations: Alterations = {},
): Promise<WireAnswer> {
  const bytes = Buffer.from(body);
  const signed = signedHeaders(project, bytes, alterations.clockOffset);
  const headers: Record<string, string | null> = { ...signed, ...alterations.headers };
  const method = alterations.method ?? 'POST';
  const response = await fetch(`${url}${path}`, {
    method,
    headers: Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== null),
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: alterations.sentBody ?? bytes }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text ? JSON.parse(text) : undefined,
  };
}

/** Begins a request and holds back the end of its body until `finish` is called, which answers the parsed body. */
export function sendSlowly(url: string, project: Project, path: string, body: string) {
  const bytes = Buffer.from(body);
  const headers = { ...signedHeaders(project, bytes), 'Content-Length': bytes.length };
  const outgoing = request(`${url}${path}`, { method: 'POST', headers });
  const answer = once(outgoing, 'response').then(async ([incoming]) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString()) as WireAnswer['body'];
  });
  return {
    /** Resolves when the server has had time to take the beginning in. */
    begun: new Promise<void>((resolve) => {
      outgoing.write(bytes.subarray(0, 10), () => setTimeout(resolve, 200));
    }),
    finish: () => {
      outgoing.end(bytes.subarray(10));
      return answer;
    },
  };
}

/**
 * Sends bytes as they are to the server's port and answers all that comes back until the server hangs up.
 * @param isAll whether to say that nothing more will come
 */
export async function sendRaw(url: string, bytes: string | Uint8Array, isAll = false): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  if (isAll) socket.end(bytes);
  else socket.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Calls an endpoint below `/open-api/api/v1/bankaccounts` with a plain JSON body. */
export function call(url: string, project: Project, endpoint: string, body: object): Promise<WireAnswer> {
  return send(url, project, `/open-api/api/v1/bankaccounts${endpoint}`, JSON.stringify(body));
}

/** Calls an endpoint with an encrypted body. */
export async function callEncrypted(
  url: string,
  project: Project,
  endpoint: string,
  body: object,
): Promise<WireAnswer> {
  const headers = { 'X-KM-Crypto-Key-Id': project.cryptoKeyId };
  const encrypted = JSON.stringify({ encData: await encrypt(JSON.stringify(body), project) });
  return await send(url, project, `/open-api/api/v1/bankaccounts${endpoint}`, encrypted, { headers });
}

/** Encrypts for the server's public key. */
export async function encrypt(
  content: string | Uint8Array,
  project: Project,
  enc = 'A128GCM',
  alg = 'RSA-OAEP-256',
): Promise<string> {
  return await new CompactEncrypt(Buffer.from(content))
    .setProtectedHeader({ alg, enc })
    .encrypt(await importSPKI(project.serverPublicKey, alg));
}

/** Decrypts with the client's private key. */
export async function decrypt(jwe: string, project: Project): Promise<string> {
  const { plaintext } = await compactDecrypt(
    jwe,
    await importPKCS8(project.clientPrivateKey, 'RSA-OAEP-256'),
  );
  return Buffer.from(plaintext).toString();
}

/** A registration request for a member of a project. */
export function registration(
  project: Project,
  member: number,
  overrides: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const { userId, userName, birthDate } = project.members[member]!;
  return {
    userId,
    userName,
    birthDate,
    bankAccount: '11012345678',
    bankCode: '003',
    bankName: 'IBK',
    ...overrides,
  };
}

const terminal = ['ARS_AUTH_FAILED', 'BANK_ACC_REG_FAILED', 'BANK_ACC_REGISTERED'];

/** Asks for the status until it is terminal, for 45 s at most; answers the last one. */
export async function untilEnded(url: string, project: Project, regNo: string): Promise<WireAnswer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await call(url, project, '/ars/register/inquiry', { regNo });
    if (terminal.includes(String(answer.body['status'])) || attempt === 225) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
