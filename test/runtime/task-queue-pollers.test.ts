import proto from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { judgePollers } from '../../composition/task-queue-pollers.ts';

const now = Date.UTC(2026, 10, 26);
const { PollerInfo } = proto.temporal.api.taskqueue.v1;
const version = (buildId: string) => ({ deploymentName: 'km', buildId });

/** A worker that began its latest poll `seconds` ago. */
function poller(identity: string, seconds: number, buildId?: string) {
  const lastAccessTime = { seconds: now / 1_000 - seconds };
  const deploymentOptions = buildId && { ...version(buildId), workerVersioningMode: 2 };
  return PollerInfo.fromObject({ identity, lastAccessTime, ...(deploymentOptions && { deploymentOptions }) });
}

describe('new registrations', () => {
  it('need a worker that polled within the last minutes', () => {
    expect(judgePollers({ pollers: [] }, now)).toBe('no worker polls');
    expect(judgePollers({ pollers: [poller('a', 200)] }, now)).toBe('no worker polls');
    expect(judgePollers({ pollers: [poller('a', 200), poller('b', 60)] }, now)).toBeUndefined();
  });

  it('need a worker of the current deployment version', () => {
    const versioningInfo = { currentDeploymentVersion: version('v2') };
    expect(judgePollers({ pollers: [poller('a', 1, 'v1')], versioningInfo }, now)).toBe(
      'no worker has the current deployment version (km v2)',
    );
    expect(judgePollers({ pollers: [poller('a', 1)], versioningInfo }, now)).toMatch(/^no worker has/);
    const pollers = [poller('a', 1, 'v1'), poller('b', 1, 'v2')];
    expect(judgePollers({ pollers, versioningInfo }, now)).toBeUndefined();
    expect(judgePollers({ pollers: [poller('a', 1, 'v1')] }, now)).toBe(
      'no worker has the current deployment version (none: unversioned workers)',
    );
  });
});

it('a worker has to poll itself, whatever version is the current one', () => {
  const pollers = [poller('a', 1, 'v1'), poller('b', 200)];
  expect(judgePollers({ pollers }, now, 'a')).toBeUndefined();
  expect(judgePollers({ pollers }, now, 'b')).toBe('this worker does not poll');
});
