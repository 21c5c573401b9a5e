/** Values that must not appear where they do not belong, by description. */
export type Canaries = Readonly<Record<string, string>>;

/** Names the canaries that appear anywhere in a value: in its strings, numbers, bytes and keys, in any usual form. */
export function findCanaries(value: unknown, canaries: Canaries): string[] {
  const texts = [...textsOf(value)];
  return Object.keys(canaries).filter((name) => {
    const forms = formsOf(canaries[name]!);
    return texts.some((text) => forms.some((form) => text.includes(form)));
  });
}

/** How a text can look: as it is, escaped, percent-encoded, in hex, in base64 from any of the three alignments. */
function formsOf(canary: string): string[] {
  const bytes = Buffer.from(canary);
  const base64 = [0, 1, 2].flatMap((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // The characters at both ends also encode bits of their neighbours.
    const own = encoded.slice(shift === 0 ? 0 : shift + 1, (shift + bytes.length) % 3 === 0 ? undefined : -1);
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const escaped = canary.replace(
    /[^\0-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const hex = bytes.toString('hex');
  return [canary, escaped, encodeURIComponent(canary), hex, hex.toUpperCase(), ...base64];
}

function* textsOf(value: unknown): Generator<string> {
  if (value instanceof Uint8Array) yield Buffer.from(value).toString();
  else if (value instanceof Date) yield value.toISOString();
  else if (typeof value === 'object' && value !== null) {
    for (const [key, content] of Object.entries(value)) {
      yield key;
      yield* textsOf(content);
    }
  } else yield String(value);
}
