/**
 * The texts that the ARS reads out to the member before it asks for the code, by version. The payment gateway plays a
 * version by its name. A version that stored evidence names never changes: a changed text is a new version.
 */
export const consentScripts = {
  'withdrawal-consent-1':
    '안녕하세요. 출금 계좌 등록을 위한 본인 확인 및 출금 동의 전화입니다. ' +
    '고객님께서 신청하신 계좌를 출금 계좌로 등록하고, 서비스 이용 대금을 해당 계좌에서 출금하는 데 동의하시면, ' +
    '화면에 표시된 인증번호 두 자리를 눌러 주십시오. 동의하지 않으시면 전화를 끊어 주십시오. ' +
    '이 통화는 동의의 증거로 녹음되어 관련 법령에 따라 5년간 보관됩니다.',
} as const satisfies Record<string, string>;

/** The name of one of {@link consentScripts}. */
export type ConsentScriptVersion = keyof typeof consentScripts;

/** The text that is read out now. */
export const currentConsentScript: ConsentScriptVersion = 'withdrawal-consent-1';

/** The text of a version; undefined for an unknown version. */
export function consentScript(version: string): string | undefined {
  return Object.hasOwn(consentScripts, version) ? consentScripts[version as ConsentScriptVersion] : undefined;
}
