import { z } from 'zod';
import { ServiceNotFound } from './connect.ts';

/** The path at which `km listen` receives. */
export const listenPath = '/km-listen';

const answerSchema = z.object({ callbackUrl: z.string().nullable() });

/**
 * Sets the notification URL of the sandbox's projects.
 * @returns what puts the earlier URLs back, unless another program has set one meanwhile
 * @throws {ServiceNotFound} when the sandbox does not answer
 */
export async function redirectNotifications(
  sandboxUrl: string,
  aspIds: readonly string[],
  notificationUrl: string,
): Promise<() => Promise<void>> {
  const earlier = await Promise.all(
    aspIds.map(async (aspId) => {
      const callbackUrl = await readUrl(sandboxUrl, aspId);
      // One that was killed cannot put back what it found.
      const isOfListener = callbackUrl !== null && new URL(callbackUrl).pathname === listenPath;
      return { aspId, callbackUrl: isOfListener ? null : callbackUrl };
    }),
  );
  for (const aspId of aspIds) await writeUrl(sandboxUrl, aspId, notificationUrl);
  return async () => {
    for (const { aspId, callbackUrl } of earlier) {
      if ((await readUrl(sandboxUrl, aspId)) === notificationUrl) {
        await writeUrl(sandboxUrl, aspId, callbackUrl);
      }
    }
  };
}

function readUrl(sandboxUrl: string, aspId: string): Promise<string | null> {
  return ask(sandboxUrl, aspId, {});
}

async function writeUrl(sandboxUrl: string, aspId: string, callbackUrl: string | null): Promise<void> {
  await ask(sandboxUrl, aspId, { method: 'PUT', body: JSON.stringify({ callbackUrl }) });
}

async function ask(sandboxUrl: string, aspId: string, request: RequestInit): Promise<string | null> {
  const url = `${sandboxUrl}/sandbox/projects/${aspId}/callback`;
  try {
    const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(10_000) });
    return answerSchema.parse(await answer.json()).callbackUrl;
  } catch (error) {
    throw new ServiceNotFound(`${url} does not answer.`, { cause: error });
  }
}
