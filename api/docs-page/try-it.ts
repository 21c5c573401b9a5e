import { bankAccountOperations } from '../../client/index.ts';
import { createDecrypt, createEncrypt } from '../../client/message-encryption.ts';
import { createTransactionHeaders, importSecretKey } from '../../client/tran-token.ts';
import type { SandboxProject, Selection } from './sandbox.ts';

/** A request as the viewer is about to send it. */
export interface OutgoingRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** An answer as the viewer is about to show it. */
export interface IncomingAnswer {
  readonly text: string;
  readonly data: string;
}

/**
 * Encrypts a request where its operation asks for that, and signs the bytes that are sent. A header that a person has
 * filled in stays as it is, so that refusals can be tried too.
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

/** Opens an encrypted answer. */
export async function openAnswer<Answer extends IncomingAnswer>(
  answer: Answer,
  project: SandboxProject,
): Promise<Answer> {
  const encData = /^\s*\{\s*"encData"\s*:\s*"([^"]+)"\s*\}\s*$/.exec(answer.text)?.[1];
  if (encData === undefined) return answer;
  const text = await createDecrypt(project.clientPrivateKey)(encData);
  return { ...answer, text, data: text };
}
