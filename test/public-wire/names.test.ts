import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskName } from '../../wire/masking.ts';
import { isSameName, personName, verbatimName } from '../../wire/names.ts';

const given = [
  '김하늘',
  'Zoë Ångström',
  'NGUYỄN Văn Á',
  'Đặng',
  '葛󠄀城',
  '𠮷田',
  'O’Neill-Straße',
  '(주)한국',
  'क्षि',
  '이 1호',
];
const honest = fc.oneof(fc.constantFrom(...given), fc.stringMatching(/^[가-힣A-Za-zÀ-ÖØ-öø-ɏ]{1,30}$/));

const invisible = Array.from('\u00ad\u200b\u200c\u200d\u2060\ufeff');
const whiteSpace = Array.from(' \t\n\u0085\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000');

/** One of each class that a name must not have. */
const refused = {
  control: '\u0000',
  'another control': '\u009b',
  'lone surrogate': '\ud800',
  'private use': '\ue000',
  'private use beyond the BMP': '\u{10fffd}',
  unassigned: '\u0378',
  noncharacter: '\uffff',
  replacement: '\ufffd',
  'Arabic letter mark': '\u061c',
  'left-to-right mark': '\u200e',
  'right-to-left override': '\u202e',
  isolate: '\u2066',
  'Hangul choseong filler': '\u115f',
  'Hangul jungseong filler': '\u1160',
  'Hangul filler': '\u3164',
  'half-width Hangul filler': '\uffa0',
  'Braille blank': '\u2800',
  '32 marks': '\u0301'.repeat(32),
};

/** Other spellings of a name: another normal form, white space around it, invisible characters anywhere. */
const spelling = (name: string) =>
  fc
    .record({
      form: fc.constantFrom('NFC', 'NFD'),
      before: fc.string({ unit: fc.constantFrom(...whiteSpace), maxLength: 3 }),
      after: fc.string({ unit: fc.constantFrom(...whiteSpace), maxLength: 3 }),
      space: fc.string({ unit: fc.constantFrom(...whiteSpace), minLength: 1, maxLength: 3 }),
      inserted: fc.array(fc.tuple(fc.nat(), fc.constantFrom(...invisible)), { maxLength: 3 }),
    })
    .map(({ form, before, after, space, inserted }) => {
      const points = Array.from(before + name.normalize(form).replaceAll(' ', space) + after);
      for (const [position, character] of inserted) points.splice(position % points.length, 0, character);
      return points.join('');
    });

it('any spelling of a name is accepted where it is kept as it was sent', () => {
  fc.assert(
    fc.property(honest.chain(spelling), (written) => {
      expect(verbatimName.parse(written)).toBe(written);
    }),
  );
});

it.for(['ᄀ'.repeat(801), `a${'🏻'.repeat(801)}`])(
  'a name of one character and 801 code points is too long',
  (name) => {
    for (const schema of [personName, verbatimName])
      expect(schema.safeParse(name).error?.issues).toMatchObject([{ code: 'too_big' }]);
  },
);

it('every spelling of a name is parsed as one', () => {
  const spelt = honest.chain((name) => fc.tuple(fc.constant(name), spelling(name)));
  fc.assert(
    fc.property(spelt, ([name, written]) => {
      expect(personName.parse(written)).toBe(name.normalize('NFC'));
      expect(isSameName(name, written)).toBe(true);
      expect(maskName(written)).toBe(maskName(name));
    }),
  );
});

it('parsing a parsed name changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }), (text) => {
      const { data } = personName.safeParse(text);
      fc.pre(data !== undefined);
      expect(personName.parse(data)).toBe(data);
    }),
  );
});

it('white space, and the case and width of Latin letters, make no other name', () => {
  const full = (text: string) =>
    text.replaceAll(/[!-~]/g, (letter) => String.fromCodePoint(letter.codePointAt(0)! + 0xfee0));
  fc.assert(
    fc.property(honest, (name) => {
      const spaced = Array.from(name.normalize('NFD')).join(' ');
      for (const other of [spaced, name.toUpperCase(), name.toLowerCase(), full(name)]) {
        expect(isSameName(name, other)).toBe(true);
      }
    }),
  );
});

it.for([
  ['김하늘', '김하닐'],
  ['김하늘', '김하늘늘'],
  ['Kim', 'Kím'],
  ['ΑΒΓ', 'αβγ'],
  ['김하늘', 'ㄱㅣㅁㅎㅏㄴㅡㄹ'],
] as const)('%s is not %s', ([one, other]) => {
  expect(isSameName(one, other)).toBe(false);
});

describe.each(Object.entries(refused))('a name with a character of the class %s', (_, character) => {
  it('is refused wherever it stands', () => {
    fc.assert(
      fc.property(honest, fc.nat(), (name, position) => {
        const points = Array.from(name);
        points.splice(position % (points.length + 1), 0, character);
        expect(personName.safeParse(points.join('')).success).toBe(false);
        expect(verbatimName.safeParse(points.join('')).success).toBe(false);
      }),
      { numRuns: 20 },
    );
  });
});

it.for(['', ' \u3000', '\u200b\u200b', '\ufe0f', '\u2063'])('a name of nothing but %j is refused', (text) => {
  expect(personName.safeParse(text).success).toBe(false);
});

it('a name has at most 100 characters, as people count them', () => {
  const lengthIssue = { code: 'too_big', origin: 'string', maximum: 100 };
  for (const character of ['가', '가'.normalize('NFD'), 'é'.normalize('NFD'), '𠮷', '葛󠄀', 'กี้', 'ᄒᆞᆫ〮']) {
    expect(personName.safeParse(character.repeat(100)).success).toBe(true);
    expect(personName.safeParse(character.repeat(101)).error?.issues).toMatchObject([lengthIssue]);
  }
  expect(personName.safeParse(`${' '.repeat(200)}김`).success).toBe(true);
});

it('a verbatim name stays as it was sent', () => {
  const name = ' 기업은행\u200b '.normalize('NFD');
  expect(verbatimName.parse(name)).toBe(name);
});
