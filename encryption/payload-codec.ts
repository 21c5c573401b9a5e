import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { Unreadable } from '../contract/unreadable-payload.ts';
import { MissingKeyError } from './key-ring.ts';
import type { KeyRing } from './key-ring.ts';

const { Payload: ProtoPayload } = proto.temporal.api.common.v1;
const encoding = 'binary/encrypted';
const context = 'temporal-payload';

/**
 * Encrypts every payload for Temporal. The key's ID is stored beside it, so that keys can rotate. It decodes a payload
 * that is not encrypted or cannot be decrypted to an {@link Unreadable} and never throws.
 */
export function createPayloadCodec(keys: KeyRing): PayloadCodec {
  const decode = (payload: Payload): Payload => {
    if (!isEncrypted(payload)) return markUnreadable({ unreadablePayload: 'it is not encrypted.' });
    try {
      return decrypt(payload, keys);
    } catch (error) {
      return markUnreadable(
        error instanceof MissingKeyError
          ? { unreadablePayload: `PAYLOAD_KEYS: ${error.message}`, missingKey: error.keyId }
          : { unreadablePayload: 'it was altered, or PAYLOAD_KEYS has another key under its key ID.' },
      );
    }
  };
  return { encode: encryptWith(keys), decode: async (payloads) => payloads.map(decode) };
}

/**
 * The same encryption for the Temporal Web UI, which also sends what Temporal itself stores unencrypted.
 * Decoding leaves that as it is, and throws for a payload that cannot be decrypted.
 */
export function createWebUiCodec(keys: KeyRing): PayloadCodec {
  return {
    encode: encryptWith(keys),
    decode: async (payloads) =>
      payloads.map((payload) => (isEncrypted(payload) ? decrypt(payload, keys) : payload)),
  };
}

function encryptWith(keys: KeyRing): PayloadCodec['encode'] {
  return async (payloads) =>
    payloads.map((payload) => ({
      metadata: { encoding: Buffer.from(encoding), keyId: Buffer.from(keys.activeKeyId) },
      data: keys.seal(ProtoPayload.encode(payload).finish(), context),
    }));
}

function isEncrypted({ metadata }: Payload): boolean {
  return Buffer.from(metadata?.['encoding'] ?? []).toString() === encoding;
}

function decrypt({ metadata, data }: Payload, keys: KeyRing): Payload {
  const keyId = Buffer.from(metadata?.['keyId'] ?? []).toString();
  return ProtoPayload.decode(keys.open(keyId, data ?? new Uint8Array(), context));
}

/** As JSON, which every payload converter reads, the one in the workflows too. */
function markUnreadable(mark: Unreadable): Payload {
  return {
    metadata: { encoding: Buffer.from('json/plain') },
    data: Buffer.from(JSON.stringify(mark)),
  };
}
