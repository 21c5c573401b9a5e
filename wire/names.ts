import { z } from 'zod';

/** The maximum length of a name, in user-perceived characters. */
const maxCharacters = 100;

/**
 * What no name has: controls, lone surrogates, private-use and unassigned code points, bidirectional controls, U+FFFD
 * (what a wrong charset leaves behind), Hangul fillers and the Braille blank. Nor does a text have more than 30 combining
 * marks in a row (Unicode Standard Annex #15, stream-safe text format).
 */
const refused = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Bidi_Control}\uFFFD\u115F\u1160\u3164\uFFA0\u2800]|\p{M}{31}/u;

/** Invisible code points that change nothing, such as zero-width spaces. A variation selector changes a Han character. */
const invisible = /(?!\p{Variation_Selector})\p{Default_Ignorable_Code_Point}/gu;

const notCompared = /[\p{White_Space}\p{Default_Ignorable_Code_Point}]/gu;

const latinAndFullWidth = /[\p{Script=Latin}\uFF01-\uFF5E]/gu;

const segmenter = new Intl.Segmenter('ko', { granularity: 'grapheme' });

/** The maximum length of a name in code points: a Thai or Old Hangul character has four, one may have any number. */
const maxCodePoints = 800;

/** A person's name. Parsing gives it its one form. */
export const personName = z.string().overwrite(normalizeName).superRefine(requireName);

/** A name that is kept as it was sent. */
export const verbatimName = z.string().superRefine((name, context) => {
  // Decomposed, and with white space around it, it is longer than its one form.
  if (name.length > 4 * maxCodePoints) refuseLength(context);
  else requireName(normalizeName(name), context);
});

/** The one form of a name: composed (NFC), without invisible characters, white space trimmed and folded to one space. */
export function normalizeName(name: string): string {
  return name
    .replaceAll(invisible, (character) => (refused.test(character) ? character : ''))
    .normalize('NFC')
    .replaceAll(/\p{White_Space}+/gu, ' ')
    .trim();
}

/** Whether two names are the same, apart from white space and, for Latin letters, case and width. */
export function isSameName(one: string, other: string): boolean {
  return comparable(one) === comparable(other);
}

/** The user-perceived characters of a text: a Hangul syllable is one, however it is encoded. */
export function charactersOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function requireName(name: string, context: z.RefinementCtx): void {
  if (refused.test(name) || name.replaceAll(notCompared, '') === '') {
    context.addIssue({ code: 'custom', message: 'Invalid name' });
  } else if (Array.from(name).length > maxCodePoints || charactersOf(name).length > maxCharacters) {
    refuseLength(context);
  }
}

function refuseLength(context: z.RefinementCtx): void {
  context.addIssue({ code: 'too_big', origin: 'string', maximum: maxCharacters, inclusive: true });
}

function comparable(name: string): string {
  return name
    .replaceAll(notCompared, '')
    .normalize('NFC')
    .replaceAll(latinAndFullWidth, (letter) => foldCase(letter.normalize('NFKC')))
    .normalize('NFC');
}

/** Three steps: `ẞ` has a lower case, `ß` an upper case of two letters. */
function foldCase(letter: string): string {
  return letter.toLowerCase().toUpperCase().toLowerCase();
}
