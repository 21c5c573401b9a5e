import { element } from './elements.ts';
import type { Scenario, ScenarioGroup } from './scenarios.ts';
import { codes } from '../../wire/result-codes.ts';

/** Creates a button for each scenario, grouped under headings. Every group but the first is collapsed at first. */
export function createCards(
  groups: readonly ScenarioGroup[],
  onClick: (scenario: Scenario) => void,
): HTMLElement[] {
  return groups.map(({ title, scenarios }, position) => {
    const cards = element(
      'ul',
      { className: position === 0 ? 'cards first' : 'cards' },
      ...scenarios.map((scenario) => element('li', {}, createCard(scenario, onClick))),
    );
    if (position === 0) return element('section', {}, element('h3', { textContent: title }), cards);
    const count = element('span', { className: 'quiet', textContent: ` ${scenarios.length}` });
    return element('details', {}, element('summary', {}, title, count), cards);
  });
}

function createCard(scenario: Scenario, onClick: (scenario: Scenario) => void): HTMLButtonElement {
  const { title, description, endsWith, isSentTwice } = scenario;
  const code = isSentTwice ? codes.OPERATION_IN_PROGRESS : endsWith;
  const card = element(
    'button',
    { type: 'button', className: 'card' },
    element('strong', { textContent: title }),
    ' ',
    element('span', { textContent: description }),
    ...(code === undefined ? [] : [' ', element('code', { textContent: code })]),
  );
  card.addEventListener('click', () => onClick(scenario));
  return card;
}
