/** Which banks are unavailable. Not persisted. */
export interface Banks {
  isOut(bankCode: string): boolean;
  setOut(bankCode: string, isOut: boolean): void;
}

/** All banks are available at first. */
export function createBanks(): Banks {
  const out = new Set<string>();
  return {
    isOut: (bankCode) => out.has(bankCode),
    setOut: (bankCode, isOut) => void (isOut ? out.add(bankCode) : out.delete(bankCode)),
  };
}
