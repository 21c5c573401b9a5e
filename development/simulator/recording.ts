import { createHash } from 'node:crypto';

const sampleRate = 8000;
const headerLength = 44;
const silence = 128;
const loudness = 80;
const fadeSamples = 80;

/** Length of every recording, in seconds. */
export const recordingSeconds = 2;

/**
 * The recording of a call: two seconds of PCM WAV, 8 kHz, 8 bit, mono (16,044 bytes).
 * One tone per character of the call ID, so that recordings differ and need not be stored.
 */
export function recordingOf(callId: string): Uint8Array<ArrayBuffer> {
  const samples = sampleRate * recordingSeconds;
  const wav = new Uint8Array(headerLength + samples);
  writeHeader(new DataView(wav.buffer), samples);
  const perTone = Math.ceil(samples / callId.length);
  for (let index = 0; index < samples; index++) {
    const frequency = 300 + 40 * Number.parseInt(callId.charAt(Math.floor(index / perTone)), 36);
    const position = index % perTone;
    const fade = Math.min(1, position / fadeSamples, (perTone - position) / fadeSamples);
    const wave = Math.sin((2 * Math.PI * frequency * position) / sampleRate);
    wav[headerLength + index] = Math.round(silence + loudness * fade * wave);
  }
  return wav;
}

/** Lower-case hex SHA-256 of the call's recording. */
export function recordingDigest(callId: string): string {
  return createHash('sha256').update(recordingOf(callId)).digest('hex');
}

function writeHeader(view: DataView, samples: number): void {
  writeText(view, 0, 'RIFF');
  view.setUint32(4, headerLength - 8 + samples, true);
  writeText(view, 8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  writeText(view, 36, 'data');
  view.setUint32(40, samples, true);
}

function writeText(view: DataView, offset: number, value: string): void {
  for (let index = 0; index < value.length; index++) view.setUint8(offset + index, value.charCodeAt(index));
}
