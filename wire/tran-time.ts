/** Offsets from UTC in minutes. Only zones with the same offset all year. */
const zoneOffsets: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  ICT: 420,
  WIB: 420,
  SGT: 480,
  HKT: 480,
  PHT: 480,
  KST: 540,
  JST: 540,
};

/** Whether X-KM-Time-Zone accepts this zone. */
export function isTimeZone(zone: string): boolean {
  return Object.hasOwn(zoneOffsets, zone);
}

/**
 * Parses `yyyyMMddHHmmss`, with optional milliseconds, in a time zone.
 * @returns Unix time in ms, or undefined if the text is not a valid time or the zone is not known
 */
export function parseTranTime(text: string, zone: string): number | undefined {
  const parts = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{3})?$/.exec(text);
  const offset = zoneOffsets[zone];
  if (!parts || offset === undefined) return undefined;
  const [year, month, day, hour, minute, second, millisecond = '0'] = parts.slice(1);
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond.padStart(3, '0')}Z`;
  const time = Date.parse(iso);
  if (Number.isNaN(time) || new Date(time).toISOString() !== iso) return undefined;
  return time - offset * 60_000;
}

/** The time part of a transaction token: `yyyyMMddHHmmssSSS` in `KMV1:yyyyMMddHHmmssSSS:mac`. */
export function timeOfTranToken(token: string): string {
  return token.slice(5, 22);
}
