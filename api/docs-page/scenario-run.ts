import {
  createKmClient,
  KmError,
  RegistrationInProgressError,
  type RegistrationResult,
  type RegistrationStatus,
} from '../../client/index.ts';
import { writeJson } from '../../client/json.ts';
import type { Selection } from './sandbox.ts';
import { scenarioRequest } from './scenarios.ts';
import { fetchFromService } from './service.ts';
import type { Scenario } from './scenarios.ts';

/** A request and its response, as they went over the wire. */
export interface Exchange {
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
  /** The plain content of an encrypted `body`. */
  readonly content: string | undefined;
  readonly status: number;
  readonly response: string;
}

/** Follows the run of a scenario. */
export interface ScenarioListener {
  onExchange(exchange: Exchange): void;
  /** The second registration, sent while the first one runs, was refused. */
  onRefusal(refusal: RegistrationInProgressError): void;
  onAccepted(registrationNumber: string, authNumber: string | undefined): void;
  onStatus(status: RegistrationStatus): void;
  onEnd(result: RegistrationResult): void;
  /** The run failed before the outcome was known. */
  onError(error: KmError): void;
}

/** Registers the scenario's account for the selected member and follows the registration to its end. */
export async function runScenario(
  scenario: Scenario,
  { project, member, encrypts }: Selection,
  listener: ScenarioListener,
  signal: AbortSignal,
): Promise<void> {
  const { userId, userName, birthDate } = member;
  const request = { userId, ...scenarioRequest(scenario), userName, birthDate };
  const client = createKmClient({
    baseUrl: new URL('open-api', document.baseURI).href,
    ...project,
    encryption: encrypts ? project : undefined,
    fetch: recordingFetch(listener, writeJson(request)),
  });
  try {
    // A registration does not answer with a code that was issued before it.
    const issued = scenario.isAnsweredByPerson
      ? await client.issueArsCode({ userId }, { signal })
      : undefined;
    const { bankAccRegNo, authNumber = issued?.authNumber } = await client.register(request, { signal });
    listener.onAccepted(bankAccRegNo, authNumber);
    if (scenario.isSentTwice) {
      const refusal = await client.register(request, { signal }).catch((error: unknown) => error);
      if (!(refusal instanceof RegistrationInProgressError)) throw refusal;
      listener.onRefusal(refusal);
    }
    listener.onEnd(
      await client.waitUntilDone(bankAccRegNo, {
        intervalMs: 500,
        signal,
        onStatus: (status) => listener.onStatus(status),
      }),
    );
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof KmError)) throw error;
    listener.onError(error);
  }
}

function recordingFetch(listener: ScenarioListener, registration: string): typeof fetch {
  return async (url, init) => {
    const request = new Request(url, init);
    const body = await request.clone().text();
    const response = await fetchFromService(request);
    listener.onExchange({
      path: new URL(request.url).pathname,
      headers: request.headers,
      body,
      content: request.headers.has('X-KM-Crypto-Key-Id') ? registration : undefined,
      status: response.status,
      response: await response.clone().text(),
    });
    return response;
  };
}
