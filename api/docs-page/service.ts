import { byId, element } from './elements.ts';

/** How often an unreachable service is asked again, in ms. */
const retryInterval = 2_000;

/** The service does not answer. */
export class ServiceUnreachable extends TypeError {
  /** Resolves when it answers again. */
  readonly isOver: Promise<void>;

  constructor(isOver: Promise<void>, cause: unknown) {
    super('The service does not answer.', { cause });
    this.isOver = isOver;
  }
}

let outage: Promise<void> | undefined;

/**
 * Fetches from the service. Until an unreachable service answers again, a message on the page says how to start it.
 * Throws `ServiceUnreachable`, and what `fetch` throws when the signal aborts.
 */
export const fetchFromService: typeof fetch = async (input, init) => {
  try {
    return await fetch(input, init);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    outage ??= showOutage();
    throw new ServiceUnreachable(outage, error);
  }
};

async function showOutage(): Promise<void> {
  const message = byId('outage', HTMLElement);
  message.replaceChildren('The service does not answer.', ...howToStart());
  message.hidden = false;
  do await new Promise((resolve) => setTimeout(resolve, retryInterval));
  while (!(await answers()));
  message.hidden = true;
  outage = undefined;
}

/** In the sandbox, the command that starts it at the page's port. */
function howToStart(): (Node | string)[] {
  if (!('sandbox' in document.documentElement.dataset)) return [];
  const { port } = location;
  const command = port === '3000' ? 'npm start' : `PORT=${port} npm start`;
  return [
    ' Start it in the project’s folder: ',
    element('code', { textContent: command }),
    '. This page notices when it answers again.',
  ];
}

async function answers(): Promise<boolean> {
  try {
    return (await fetch('healthz')).ok;
  } catch {
    return false;
  }
}
