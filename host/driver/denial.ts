import { Fault } from "../fault/index.ts";
import { ClusterFault } from "../kube/index.ts";

/** How the API server's own plugins and webhooks begin what they refuse; a missing right reads otherwise. */
const QUOTA = /exceeded quota|forbidden: .*quota/i;
const ADMISSION = /admission webhook ".*" denied the request|ValidatingAdmissionPolicy '.*' .*denied request/;

/**
 * What a refused write means: the answer 403 is a missing right, and it is a quota's and an admission webhook's word as
 * well. These are `QuotaExceeded` and `AdmissionDenied`; everything else stays as it is.
 */
export function denial(thrown: unknown): unknown {
  if (!(thrown instanceof ClusterFault) || thrown.status < 400 || thrown.status >= 500) return thrown;
  const { message } = thrown;
  if (QUOTA.test(message)) return new Fault("QuotaExceeded", message, { cause: thrown });
  if (ADMISSION.test(message)) return new Fault("AdmissionDenied", message, { cause: thrown });
  return thrown;
}

/** Whether a message of the cluster is about a quota. */
export const isQuota = (message: string): boolean => QUOTA.test(message);
