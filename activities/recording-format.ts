/** The kinds of recording that are accepted as evidence. */
export type RecordingFormat = 'wav' | 'mp3' | 'wma';

/** The GUID that opens an ASF file, the container of WMA. */
const asfHeader = '3026b2758e66cf11a6d900aa0062ce6c';

/**
 * Tells a recording's format by its first bytes, whatever its name or declared type; undefined when it is none of
 * those the payment gateways accept as evidence of consent.
 */
export function recordingFormat(recording: Buffer): RecordingFormat | undefined {
  const ascii = (start: number, end: number) => recording.toString('latin1', start, end);
  if (ascii(0, 4) === 'RIFF' && ascii(8, 12) === 'WAVE') return 'wav';
  if (ascii(0, 3) === 'ID3') return 'mp3';
  if (recording[0] === 0xff && ((recording[1] ?? 0) & 0xe6) === 0xe2) return 'mp3';
  if (recording.toString('hex', 0, 16) === asfHeader) return 'wma';
  return undefined;
}
