import { expect, it } from 'vitest';
import { recordingDuration, recordingFormat } from '../../contract/recording.ts';
import { recordingOf } from '../../development/simulator/recording.ts';

const wav = Buffer.from(recordingOf('CALL00000001'));

/** A chunk of a RIFF file, filled up to an even length. */
function chunk(name: string, content: Uint8Array, length = content.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}

const riff = (...chunks: readonly Buffer[]) =>
  Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'), ...chunks]);
const format = chunk('fmt ', wav.subarray(20, 36));

it('computes the duration of a WAV recording from its bytes', () => {
  expect(recordingFormat(wav)).toBe('wav');
  expect(recordingDuration(wav)).toBe(2_000);
  expect(recordingDuration(wav.subarray(0, 44 + 12_001))).toBe(1_500);
});

it.for([
  [
    'a chunk of odd length before',
    riff(chunk('LIST', Buffer.alloc(5)), format, chunk('data', Buffer.alloc(4_000))),
    500,
  ],
  [
    'a length left open, as streams have it',
    riff(format, chunk('data', Buffer.alloc(800), 0xffff_ffff)),
    100,
  ],
  ['no data chunk', riff(format), undefined],
  ['no format chunk', riff(chunk('data', Buffer.alloc(800))), undefined],
  ['a byte rate of 0', riff(chunk('fmt ', Buffer.alloc(16)), chunk('data', Buffer.alloc(800))), undefined],
  ['a short format chunk', riff(chunk('fmt ', Buffer.alloc(4)), chunk('data', Buffer.alloc(800))), undefined],
  ['a chunk longer than the file', riff(chunk('LIST', Buffer.alloc(4), 0xffff_fff0), format), undefined],
  ['nothing but a head', riff(), undefined],
  ['another format', Buffer.from('ID3 and so on'), undefined],
  [
    'another format with the same chunks',
    Buffer.concat([Buffer.from('ID3 0123 567'), format, chunk('data', Buffer.alloc(800))]),
    undefined,
  ],
  [
    'a format chunk without anything optional',
    riff(chunk('fmt ', wav.subarray(20, 32)), chunk('data', Buffer.alloc(800))),
    100,
  ],
  ['an empty data chunk', riff(format, chunk('data', Buffer.alloc(0))), 0],
] as const)('of a recording with %s', ([, recording, duration]) => {
  expect(recordingDuration(recording)).toBe(duration);
});

const bytes = (hex: string) => Buffer.from(hex, 'hex');

it.for([
  ['wav', riff()],
  ['mp3', Buffer.from('ID3')],
  ['mp3', bytes('fffb')],
  ['mp3', bytes('fff3')],
  ['wma', bytes('3026b2758e66cf11a6d900aa0062ce6c00')],
] as const)('%s is recognised by its first bytes (%#)', ([name, recording]) => {
  expect(recordingFormat(recording)).toBe(name);
});

it.for([
  bytes(''),
  bytes('ff'),
  bytes('fff9'),
  bytes('ffe0'),
  bytes('fefb'),
  bytes('3026b2758e66cf11a6d900aa0062ce'),
  Buffer.from('RIFF\0\0\0\0WAVY', 'latin1'),
  Buffer.from('RIFX\0\0\0\0WAVE', 'latin1'),
  Buffer.from('ID4'),
])('other bytes are not a recording (%#)', (recording) => {
  expect(recordingFormat(recording)).toBeUndefined();
});
