import type { Client } from '@temporalio/client';
import { taskQueue } from '../contract/registration.ts';
import { grpcStatus } from '../runtime/error-code.ts';
import type { SetupSettings } from './command.ts';

/** The gRPC status of a deployment that no worker has begun yet. */
const notFound = 5;

/** Says which version gets new registrations, if it is not the one of the settings; with the command that makes it so. */
export async function findDeploymentProblem(
  { workflowService, options: { namespace } }: Client,
  { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_BUILD_ID: buildId }: SetupSettings,
): Promise<string | undefined> {
  const { versioningInfo } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
  });
  const current = versioningInfo?.currentDeploymentVersion;
  const setCurrent = `temporal worker deployment set-current-version --namespace ${namespace} --yes`;
  if (!deploymentName || !buildId) {
    return current
      ? `new registrations go to the version ${current.buildId}, and unversioned workers get none. Run: ${setCurrent} --deployment-name ${current.deploymentName} --unversioned`
      : undefined;
  }
  const isKnown = await workflowService.describeWorkerDeployment({ namespace, deploymentName }).then(
    () => true,
    (error: unknown) => {
      if (grpcStatus(error) === notFound) return false;
      throw error;
    },
  );
  if (!isKnown) return `no worker of ${deploymentName} has started yet. Start one, then repeat this command`;
  return current?.deploymentName === deploymentName && current.buildId === buildId
    ? undefined
    : `new registrations go to ${current ? `the version ${current.buildId}` : 'unversioned workers'}. Run: ${setCurrent} --deployment-name ${deploymentName} --build-id ${buildId}`;
}
