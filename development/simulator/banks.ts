/** Which banks have an outage. Forgotten when the simulator stops. */
export interface Banks {
  isOut(bankCode: string): boolean;
  setOut(bankCode: string, isOut: boolean): void;
}

/** All banks, working. */
export function createBanks(): Banks {
  const out = new Set<string>();
  return {
    isOut: (bankCode) => out.has(bankCode),
    setOut: (bankCode, isOut) => void (isOut ? out.add(bankCode) : out.delete(bankCode)),
  };
}
