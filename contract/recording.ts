/** The formats that are accepted as evidence. */
export type RecordingFormat = 'wav' | 'mp3' | 'wma';

/** The largest recording the payment gateways accept as evidence, in bytes: 300 kB. */
export const maxRecordingBytes = 307_200;

/** The GUID that opens an ASF file, the container of WMA. */
const asfHeader = '3026b2758e66cf11a6d900aa0062ce6c';

/** The format of a recording by its first bytes; undefined if payment gateways do not accept it as evidence. */
export function recordingFormat(recording: Buffer): RecordingFormat | undefined {
  const ascii = (start: number, end: number) => recording.toString('latin1', start, end);
  if (ascii(0, 4) === 'RIFF' && ascii(8, 12) === 'WAVE') return 'wav';
  if (ascii(0, 3) === 'ID3') return 'mp3';
  if (recording[0] === 0xff && ((recording[1] ?? 0) & 0xe6) === 0xe2) return 'mp3';
  if (recording.toString('hex', 0, 16) === asfHeader) return 'wma';
  return undefined;
}

/**
 * The duration of a WAV recording in ms: the length of its `data` chunk divided by the byte rate of its `fmt ` chunk.
 * Undefined for other formats, and if one of the chunks is missing.
 */
export function recordingDuration(recording: Buffer): number | undefined {
  if (recordingFormat(recording) !== 'wav') return undefined;
  let byteRate = 0;
  for (let start = 12; start + 8 <= recording.length;) {
    const name = recording.toString('latin1', start, start + 4);
    const content = recording.subarray(start + 8, start + 8 + recording.readUInt32LE(start + 4));
    if (name === 'fmt ' && content.length >= 12) byteRate = content.readUInt32LE(8);
    if (name === 'data') return byteRate > 0 ? Math.round((content.length / byteRate) * 1_000) : undefined;
    // Chunks begin at even positions.
    start += 8 + content.length + (content.length % 2);
  }
  return undefined;
}
