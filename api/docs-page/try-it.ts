import { bankAccountOperations } from '../../client/index.ts';
import { createDecrypt, createEncrypt } from '../../client/message-encryption.ts';
import { createTransactionHeaders, importSecretKey } from '../../client/tran-token.ts';
import { curlCommand } from './curl-command.ts';
import type { SandboxProject, Selection } from './sandbox.ts';
import { fetchFromService } from './service.ts';

/** A request that Swagger UI is about to send. */
export interface OutgoingRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sends the request instead of `fetch`. */
  readonly userFetch?: typeof fetch;
  /** A shell command that sends the same request. */
  readonly command?: string;
}

/** A response that Swagger UI is about to show. */
export interface IncomingResponse {
  readonly url: string;
  readonly text: string;
  readonly data: string;
}

/**
 * Encrypts a request if its operation documents that, and signs the bytes that are sent. A header that somebody has filled
 * in stays as it is.
 */
export async function prepareRequest<Request extends OutgoingRequest>(
  request: Request,
  { project, encrypts }: Selection,
): Promise<Request> {
  const content = typeof request.body === 'string' ? request.body : JSON.stringify(request.body ?? {});
  const operation = bankAccountOperations.find(({ path }) =>
    new URL(request.url).pathname.endsWith(`/v1${path}`),
  );
  if (!operation) return request;
  const isEncrypted = encrypts && operation.encrypted && !content.includes('"encData"');
  const encrypt = createEncrypt(project.serverPublicKey);
  const createBody = async () =>
    isEncrypted ? JSON.stringify({ encData: await encrypt(content) }) : content;
  const body = await createBody();
  const key = await importSecretKey(project.secretKey);
  const headers = {
    'Content-Type': 'application/json',
    'X-KM-User-AspId': project.aspId,
    'X-KM-Access-Key': project.accessKey,
    ...(body.includes('"encData"') && { 'X-KM-Crypto-Key-Id': project.cryptoKeyId }),
    ...(operation.changes && { 'Idempotency-Key': crypto.randomUUID() }),
    ...request.headers,
  };
  // A ciphertext of its own can be sent later than a repeat of this one. The Idempotency-Key says that it is a repeat.
  const repeat = { url: request.url, headers, body: await createBody(), secretKey: project.secretKey };
  return {
    ...request,
    headers: { ...(await createTransactionHeaders(key, body, Date.now())), ...headers },
    body,
    userFetch: fetchFromService,
    command: curlCommand(repeat),
  };
}

/** Decrypts a response if it is encrypted. */
export async function decryptResponse<Response extends IncomingResponse>(
  response: Response,
  project: SandboxProject,
): Promise<Response> {
  const encData = /^\s*\{\s*"encData"\s*:\s*"([^"]+)"\s*\}\s*$/.exec(response.text)?.[1];
  if (encData === undefined) return response;
  const text = await createDecrypt(project.clientPrivateKey)(encData);
  return { ...response, text, data: text };
}

/** The number of the registration that a response is about; undefined unless the response is one to a registration. */
export function registrationNumberOf({ url, text }: IncomingResponse): string | undefined {
  if (!new URL(url).pathname.endsWith('/ars/register')) return undefined;
  return /"bankAccRegNo"\s*:\s*"(\w+)"/.exec(text)?.[1];
}
