import { MIMEType } from 'node:util';
import type { HonoRequest } from 'hono';
import { codes } from '../../wire/result-codes.ts';
import type { Trouble } from '../../wire/result-codes.ts';
import { Refusal } from './refusal.ts';

/** Refuses with `000_912` any body but uncompressed JSON in UTF-8. Unknown parameters of the type are ignored. */
export function requireJson(request: HonoRequest): void {
  const type = parseType(request.header('content-type') ?? '');
  if (type?.essence !== 'application/json') throw unsupported('OTHER_TYPE');
  if (!isUtf8(type.params.get('charset') ?? 'utf-8')) throw unsupported('OTHER_CHARSET');
  const encoding = request.header('content-encoding') ?? '';
  if (!/^(identity)?$/i.test(encoding.trim())) throw unsupported('CONTENT_ENCODING');
}

function parseType(text: string): MIMEType | undefined {
  try {
    return new MIMEType(text);
  } catch {
    return undefined;
  }
}

/** Whether a charset is UTF-8, by any of its names. */
function isUtf8(charset: string): boolean {
  try {
    return new TextDecoder(charset).encoding === 'utf-8';
  } catch {
    return false;
  }
}

function unsupported(trouble: Trouble): Refusal {
  return new Refusal(codes.UNSUPPORTED_CONTENT_TYPE, { trouble });
}
