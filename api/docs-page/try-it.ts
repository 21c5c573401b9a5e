import { bankAccountOperations } from '../../client/index.ts';
import { createDecrypt, createEncrypt } from '../../client/message-encryption.ts';
import { createTransactionHeaders, importSecretKey } from '../../client/tran-token.ts';
import type { SandboxProject, Selection } from './sandbox.ts';

/** A request that Swagger UI is about to send. */
export interface OutgoingRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A response that Swagger UI is about to show. */
export interface IncomingResponse {
  readonly text: string;
  readonly data: string;
}

/**
 * Encrypts a request if its operation documents that, and signs the bytes that are sent. Headers that somebody has filled
 * in stay as they are, so refusals can be tried as well.
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
  const body = isEncrypted
    ? JSON.stringify({ encData: await createEncrypt(project.serverPublicKey)(content) })
    : content;
  const key = await importSecretKey(project.secretKey);
  const headers = {
    'Content-Type': 'application/json',
    'X-KM-User-AspId': project.aspId,
    'X-KM-Access-Key': project.accessKey,
    ...(body.includes('"encData"') && { 'X-KM-Crypto-Key-Id': project.cryptoKeyId }),
    ...(await createTransactionHeaders(key, body, Date.now())),
    ...request.headers,
  };
  return { ...request, headers, body };
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
