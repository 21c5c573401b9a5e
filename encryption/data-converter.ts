import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { KeyRing } from './key-ring.ts';
import { createPayloadCodec } from './payload-codec.ts';

/** The module that encrypts failure texts. The workflow bundle includes it. */
export const failureConverterPath = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));

/**
 * The data converter that API, worker, tests and replay share: all payloads and failure texts are encrypted.
 * @param payloadKeys `id:base64` of 32 bytes each, separated by commas; the first one encrypts
 * @param options see {@link createPayloadCodec}
 */
export function createDataConverter(
  payloadKeys: string,
  options?: Parameters<typeof createPayloadCodec>[1],
): DataConverter {
  return {
    payloadCodecs: [createPayloadCodec(new KeyRing(payloadKeys), options)],
    failureConverterPath,
  };
}
