import { resultCodes } from '../../client/index.ts';
import type { KmError, RegistrationResult, RegistrationStatus } from '../../client/index.ts';
import { byId, element } from './elements.ts';
import type { SandboxMember } from './sandbox.ts';
import type { Exchange, ScenarioListener } from './scenario-run.ts';
import type { Scenario } from './scenarios.ts';
import { codes } from '../../wire/result-codes.ts';

const meanings: Readonly<Record<RegistrationStatus, string>> = {
  ARS_AUTH_IN_PROGRESS: 'The real-name check or the ARS call is running.',
  ARS_AUTH_DONE: 'The member has consented. The account is being registered.',
  ARS_AUTH_FAILED: 'The ARS call failed, so the account was not registered.',
  BANK_ACC_REG_FAILED: 'The account was not registered.',
  BANK_ACC_REGISTERED: 'The account is registered for withdrawals.',
};

/** Shows a run of a scenario in the panel. */
export function showRun(scenario: Scenario, member: SandboxMember): ScenarioListener {
  const startedAt = performance.now();
  const statuses = byId('statuses', HTMLOListElement);
  const exchanges = byId('exchanges', HTMLDivElement);
  const codeCard = byId('code-card', HTMLDivElement);
  let inquiry: { readonly response: string; readonly shown: HTMLDetailsElement } | undefined;

  byId('run-title', HTMLElement).textContent = scenario.title;
  setText('run-text', `${scenario.description} Member ${member.userId}, ${member.userName}.`);
  statuses.replaceChildren();
  exchanges.replaceChildren();
  codeCard.hidden = true;
  byId('result', HTMLDivElement).hidden = true;
  announce(`${scenario.title}: sent.`);
  if (isStacked()) byId('run', HTMLElement).scrollIntoView({ block: 'start' });
  keepTitleInView();

  const addLine = (name: string, text: string) => {
    const elapsed = `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
    statuses.append(
      element(
        'li',
        {},
        element('span', { className: 'elapsed', textContent: elapsed }),
        element('code', { textContent: name }),
        element('span', { textContent: text }),
      ),
    );
    announce(`${name}. ${text}`);
  };
  const conclude = (isGood: boolean, title: string, text: string) => {
    const result = byId('result', HTMLDivElement);
    result.hidden = false;
    result.dataset['good'] = String(isGood);
    setText('result-title', title);
    setText('result-text', text);
    codeCard.hidden = true;
    keepTitleInView();
    announce(`${title}. ${text}`);
  };

  return {
    onExchange: (exchange) => {
      const isInquiry = exchange.path.endsWith('/inquiry');
      const shown = describeExchange(exchange, isInquiry ? (inquiry?.shown.open ?? false) : true);
      if (!isInquiry || !inquiry) exchanges.append(shown);
      // Only the latest status inquiry is shown. Replacing an equal one would take away the focus.
      else if (inquiry.response === exchange.response) return;
      else inquiry.shown.replaceWith(shown);
      if (isInquiry) inquiry = { response: exchange.response, shown };
      keepTitleInView();
    },
    onAccepted: (registrationNumber, authNumber) => {
      addLine(codes.SUCCESS, `Accepted as ${registrationNumber}.`);
      if (!scenario.isAnsweredByPerson) return;
      codeCard.hidden = false;
      setText('code', authNumber ?? '');
      const reference = new URLSearchParams({ reference: registrationNumber });
      byId('phone-link', HTMLAnchorElement).href = `sandbox/phone?${reference}`;
      announce(
        `The code is ${authNumber?.split('').join(' ')}. Open the phone, answer the call and enter the code.`,
      );
    },
    onRefusal: ({ code }) => addLine(code, `Second request: ${explain(code)}`),
    onStatus: (status) => addLine(status, meanings[status]),
    onEnd: (result: RegistrationResult) => {
      const isGood = result.status === 'BANK_ACC_REGISTERED';
      const code = isGood ? codes.SUCCESS : result.code;
      conclude(
        isGood,
        [result.status, code, isGood ? undefined : result.reason].filter(Boolean).join(' · '),
        isGood ? meanings[result.status] : explain(code, result.text, result.retryable),
      );
    },
    onError: (error: KmError) =>
      conclude(false, error.code, explain(error.code, error.text, error.retryable)),
  };
}

function describeExchange(
  { path, headers, body, content, status, response }: Exchange,
  isOpen: boolean,
): HTMLDetailsElement {
  const sent = [...headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  return element(
    'details',
    { className: 'exchange', open: isOpen },
    element('summary', {}, `POST ${path} `, element('span', { textContent: `HTTP ${status}` })),
    ...(content ? [element('h4', { textContent: 'Before encryption' }), block(pretty(content))] : []),
    element('h4', { textContent: 'Request' }),
    block(`${sent}\n\n${pretty(body)}`),
    element('h4', { textContent: 'Response' }),
    block(pretty(response)),
  );
}

/** Text that scrolls, also by keyboard. */
function block(text: string): HTMLPreElement {
  return element('pre', { textContent: text, tabIndex: 0 });
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

/** Explains a result code in words. `isRetryable`: what the answer itself says of it. */
function explain(code: string, fallback = '', isRetryable?: boolean): string {
  if (!Object.hasOwn(resultCodes, code)) return fallback;
  const { text, when, retryable: usually } = resultCodes[code as keyof typeof resultCodes];
  const retryable = isRetryable ?? usually;
  return `${text} ${when} ${retryable ? 'Retrying may succeed.' : 'Retrying will not help.'}`;
}

/** Whether the panel is below the cards instead of beside them. */
function isStacked(): boolean {
  return matchMedia('(width < 900px)').matches;
}

/** Keeps the panel's title visible: a growing panel beside the cards would be pushed out of the viewport. */
function keepTitleInView(): void {
  if (!isStacked()) byId('run-title', HTMLElement).scrollIntoView({ block: 'nearest' });
}

function setText(id: string, text: string): void {
  byId(id, HTMLElement).textContent = text;
}

function announce(text: string): void {
  setText('announcement', text);
}
