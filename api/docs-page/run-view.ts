import { resultCodes } from '../../client/index.ts';
import type { KmError, RegistrationResult, RegistrationStatus } from '../../client/index.ts';
import { byId, element } from './elements.ts';
import type { SandboxMember } from './sandbox.ts';
import type { Exchange, ScenarioListener } from './scenario-run.ts';
import type { Scenario } from './scenarios.ts';

const meanings: Readonly<Record<RegistrationStatus, string>> = {
  ARS_AUTH_IN_PROGRESS: 'The holder is checked and the member called.',
  ARS_AUTH_DONE: 'The call passed; the account is being registered.',
  ARS_AUTH_FAILED: 'The call failed, so the registration did.',
  BANK_ACC_REG_FAILED: 'The account was not registered.',
  BANK_ACC_REGISTERED: 'The account can be withdrawn from.',
};

/** Shows one run of a scenario in the panel, from its request to its end. */
export function showRun(scenario: Scenario, member: SandboxMember): ScenarioListener {
  const startedAt = performance.now();
  const statuses = byId('statuses', HTMLOListElement);
  const exchanges = byId('exchanges', HTMLDivElement);
  const codeCard = byId('code-card', HTMLDivElement);
  let inquiry: { readonly answer: string; readonly shown: HTMLDetailsElement } | undefined;

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
      // Of the inquiries, which are many, the latest stands for all; an equal one must not take the focus away.
      else if (inquiry.answer === exchange.answer) return;
      else inquiry.shown.replaceWith(shown);
      if (isInquiry) inquiry = { answer: exchange.answer, shown };
      keepTitleInView();
    },
    onAccepted: (registrationNumber, authNumber) => {
      addLine('000_000', `Accepted as ${registrationNumber}.`);
      if (!scenario.isAnsweredByPerson) return;
      codeCard.hidden = false;
      setText('code', authNumber ?? '');
      announce(
        `The code is ${authNumber?.split('').join(' ')}. Open the phone, answer it, and key the code in.`,
      );
    },
    onRefusal: ({ code }) => addLine(code, `The second one: ${explain(code)}`),
    onStatus: (status) => addLine(status, meanings[status]),
    onEnd: (result: RegistrationResult) => {
      const isGood = result.status === 'BANK_ACC_REGISTERED';
      const code = isGood ? '000_000' : result.code;
      conclude(
        isGood,
        `${result.status} · ${code}`,
        isGood ? meanings[result.status] : explain(code, result.text),
      );
    },
    onError: (error: KmError) => conclude(false, error.code, explain(error.code, error.text)),
  };
}

function describeExchange(
  { path, headers, body, content, status, answer }: Exchange,
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
    element('h4', { textContent: 'Answer' }),
    block(pretty(answer)),
  );
}

/** Text that scrolls, by the keyboard too. */
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

/** What the catalogue says of a code. */
function explain(code: string, fallback = ''): string {
  if (!Object.hasOwn(resultCodes, code)) return fallback;
  const { text, when, retryable } = resultCodes[code as keyof typeof resultCodes];
  return `${text} ${when} ${retryable ? 'Another try may succeed.' : 'Another try will not help.'}`;
}

/** Whether the panel lies below the cards and not beside them. */
function isStacked(): boolean {
  return matchMedia('(width < 900px)').matches;
}

/** Beside the cards, a panel that grows would be pushed up and out of sight by the end of its section. */
function keepTitleInView(): void {
  if (!isStacked()) byId('run-title', HTMLElement).scrollIntoView({ block: 'nearest' });
}

function setText(id: string, text: string): void {
  byId(id, HTMLElement).textContent = text;
}

function announce(text: string): void {
  setText('announcement', text);
}
