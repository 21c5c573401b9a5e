import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { KeyRing } from './key-ring.ts';

const { Payload: ProtoPayload } = proto.temporal.api.common.v1;
const encoding = 'binary/encrypted';
const context = 'temporal-payload';

/** Encrypts every payload for Temporal. The key's ID is stored beside it, so that keys can rotate. */
export function createPayloadCodec(keys: KeyRing): PayloadCodec {
  return {
    encode: async (payloads) =>
      payloads.map((payload) => ({
        metadata: { encoding: Buffer.from(encoding), keyId: Buffer.from(keys.activeKeyId) },
        data: keys.seal(ProtoPayload.encode(payload).finish(), context),
      })),
    decode: async (payloads) =>
      payloads.map((payload) => (isEncrypted(payload) ? decrypt(payload, keys) : payload)),
  };
}

function isEncrypted({ metadata }: Payload): boolean {
  return Buffer.from(metadata?.['encoding'] ?? []).toString() === encoding;
}

function decrypt({ metadata, data }: Payload, keys: KeyRing): Payload {
  const keyId = Buffer.from(metadata?.['keyId'] ?? []).toString();
  return ProtoPayload.decode(keys.open(keyId, data ?? new Uint8Array(), context));
}
