import { z } from 'zod';
import { createCards } from './cards.ts';
import { byId } from './elements.ts';
import { showReference, showInteractiveReference } from './reference.ts';
import { showRun } from './run-view.ts';
import { createSelection, fetchProjects } from './sandbox.ts';
import { runScenario } from './scenario-run.ts';
import { scenarioGroups } from './scenarios.ts';
import { ServiceUnreachable } from './service.ts';

// zod would compile its checks with `new Function`, which the page's content security policy forbids.
z.config({ jitless: true });

try {
  if ('sandbox' in document.documentElement.dataset) await startSandbox();
  else await showReference();
} catch (error) {
  if (!(error instanceof ServiceUnreachable)) throw error;
  await error.isOver;
  location.reload();
}

async function startSandbox(): Promise<void> {
  const selection = createSelection(await fetchProjects());
  const reference = await showInteractiveReference(selection);
  const showNotificationUrl = () => {
    const { aspId } = selection.read().project;
    const { href } = new URL(`sandbox/projects/${aspId}/callback`, document.baseURI);
    byId('notification-url', HTMLElement).textContent = href;
  };
  showNotificationUrl();
  selection.onChange(showNotificationUrl);
  let running = new AbortController();

  const cards = createCards(scenarioGroups, (scenario) => {
    running.abort();
    running = new AbortController();
    const selected = selection.advance();
    const view = showRun(scenario, selected.member);
    const listener = {
      ...view,
      onAccepted: (registrationNumber: string, authNumber: string | undefined) => {
        reference.useRegistration(selected.project.aspId, registrationNumber);
        view.onAccepted(registrationNumber, authNumber);
      },
    };
    void runScenario(scenario, selected, listener, running.signal);
  });
  byId('cards', HTMLDivElement).replaceChildren(...cards);
  byId('sandbox', HTMLElement).hidden = false;
  byId('credentials-link', HTMLAnchorElement).hidden = false;
}
