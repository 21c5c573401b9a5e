import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { Unreadable } from '../contract/unreadable-payload.ts';
import { MissingKeyError } from './key-ring.ts';
import type { KeyRing } from './key-ring.ts';

const { Payload: ProtoPayload } = proto.temporal.api.common.v1;
const encoding = 'binary/encrypted';

/** Where a payload belongs. Its metadata names the place, and the encryption authenticates it. */
interface Place {
  readonly namespace: string;
  readonly workflowId: string;
  /** `workflow`, or the activity by its ID. */
  readonly purpose: string;
}

/**
 * Encrypts every payload for Temporal, for the workflow or the activity that it belongs to. The key's ID is stored beside
 * it, so that keys can rotate. It decodes to an {@link Unreadable} a payload that is not encrypted, cannot be decrypted or
 * belongs elsewhere, and never throws.
 * @param ofReplay whether a replay reads it: that knows no namespace, so a payload belongs where its metadata says
 */
export function createPayloadCodec(keys: KeyRing, { ofReplay = false } = {}): PayloadCodec {
  const decode = (payload: Payload, context: SerializationContext | undefined): Payload => {
    if (!isEncrypted(payload)) return markUnreadable({ unreadablePayload: 'it is not encrypted.' });
    try {
      const content = decrypt(payload, keys);
      const [place, expected] = [textOf(placeNamedBy(payload)), textOf(placeOf(context))];
      return context === undefined || ofReplay || place === expected
        ? content
        : markUnreadable({ unreadablePayload: `it belongs to ${place}, not to ${expected}.` });
    } catch (error) {
      return markUnreadable(
        error instanceof MissingKeyError
          ? { unreadablePayload: `PAYLOAD_KEYS: ${error.message}`, missingKey: error.keyId }
          : { unreadablePayload: 'it was altered, or PAYLOAD_KEYS has another key under its key ID.' },
      );
    }
  };
  return {
    encode: async (payloads, context) => payloads.map((payload) => encrypt(payload, placeOf(context), keys)),
    decode: async (payloads, context) => payloads.map((payload) => decode(payload, context)),
  };
}

/**
 * Decrypts for the Temporal Web UI, which also sends what Temporal itself stores unencrypted: that is left as it is. A
 * payload belongs where its metadata says. Throws for a payload that cannot be decrypted.
 */
export function createWebUiDecoder(keys: KeyRing): (payloads: readonly Payload[]) => Payload[] {
  return (payloads) => payloads.map((payload) => (isEncrypted(payload) ? decrypt(payload, keys) : payload));
}

function encrypt(payload: Payload, place: Place, keys: KeyRing): Payload {
  const metadata = { encoding, keyId: keys.activeKeyId, ...place };
  return {
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value)])),
    data: keys.seal(ProtoPayload.encode(payload).finish(), textOf(place)),
  };
}

function decrypt(payload: Payload, keys: KeyRing): Payload {
  const sealed = payload.data ?? new Uint8Array();
  return ProtoPayload.decode(keys.open(read(payload, 'keyId'), sealed, textOf(placeNamedBy(payload))));
}

function isEncrypted(payload: Payload): boolean {
  return read(payload, 'encoding') === encoding;
}

function placeNamedBy(payload: Payload): Place {
  return {
    namespace: read(payload, 'namespace'),
    workflowId: read(payload, 'workflowId'),
    purpose: read(payload, 'purpose'),
  };
}

function placeOf(context: SerializationContext | undefined): Place {
  if (!context) return { namespace: '', workflowId: '', purpose: 'none' };
  const { namespace, workflowId = '' } = context;
  if (context.type === 'workflow') return { namespace, workflowId, purpose: 'workflow' };
  const { isLocal, activityId = '' } = context;
  return { namespace, workflowId, purpose: `${isLocal ? 'local ' : ''}activity ${activityId}` };
}

/** What is authenticated, and what operators read. */
function textOf({ namespace, workflowId, purpose }: Place): string {
  return JSON.stringify({ namespace, workflowId, purpose });
}

function read({ metadata }: Payload, name: string): string {
  return Buffer.from(metadata?.[name] ?? []).toString();
}

/** As JSON, which every payload converter reads, the one in the workflows too. */
function markUnreadable(mark: Unreadable): Payload {
  return {
    metadata: { encoding: Buffer.from('json/plain') },
    data: Buffer.from(JSON.stringify(mark)),
  };
}
