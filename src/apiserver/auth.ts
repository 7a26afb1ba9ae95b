import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { ObjectKey } from "../api/machinery/object.ts";
import type { AdmissionPlugin } from "./admission/admission.ts";
import {
  CertificateApproval,
  CertificateSigning,
  certificateSubjectRestriction,
} from "./admission/certificates.ts";
import { defaultTolerationSeconds } from "./admission/default-tolerations.ts";
import { LimitRanger } from "./admission/limit-ranger.ts";
import { NamespaceLifecycle } from "./admission/namespace-lifecycle.ts";
import { NodeRestriction } from "./admission/node-restriction.ts";
import { PodSecurity } from "./admission/pod-security/pod-security.ts";
import { Priority } from "./admission/priority.ts";
import { RuntimeClassAdmission } from "./admission/runtime-class.ts";
import { ServiceAccountAdmission } from "./admission/service-account.ts";
import {
  DefaultStorageClass,
  PersistentVolumeClaimResize,
  storageObjectInUseProtection,
} from "./admission/storage.ts";
import { taintNodesByCondition } from "./admission/taint-nodes.ts";
import { type DiscoveryDocument, discoveryDocuments } from "./authn/discovery-documents.ts";
import { RequestAuthenticator } from "./authn/request-authenticator.ts";
import { TokenIssuer } from "./authn/token-request.ts";
import type { SigningKey } from "./authn/token-signature.ts";
import { TokenVerifier } from "./authn/token-verifier.ts";
import { AuthorizerChain } from "./authz/authorizer-chain.ts";
import { EscalationCheck } from "./authz/escalation.ts";
import { NodeAuthorizer } from "./authz/node-authorizer.ts";
import { RbacAuthorizer } from "./authz/rbac-authorizer.ts";
import { RbacRules, type RbacSource } from "./authz/rbac-rules.ts";
import { type ReviewHandler, reviewHandlers } from "./authz/reviews.ts";

export interface AuthOptions {
  /** `https://kubernetes.default.svc.cluster.local`; also the audience of the API itself. */
  readonly issuer: string;
  /** The first signs; tokens of all are accepted. */
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  /** Where relying parties find the keys: `https://ADDRESS/openid/v1/jwks`. */
  readonly jwksUri: string;
  /** Told once a day of each Secret whose token is used. */
  readonly onSecretUsed?: (secret: ObjectKey, day: string) => void;
}

/** Everything between "a request came in" and "the registry may write it", ready to be put into the pipeline. */
export interface Auth {
  readonly authenticator: RequestAuthenticator;
  /** `system:masters`, then nodes, then roles. Also what impersonation asks. */
  readonly authorizer: AuthorizerChain;
  /** In upstream's order. */
  readonly admission: readonly AdmissionPlugin[];
  readonly tokens: TokenIssuer;
  readonly reviews: readonly ReviewHandler[];
  readonly discovery: readonly DiscoveryDocument[];
}

/**
 * Puts authentication, authorization and admission together over the server's own cache.
 *
 * `cache` must hold every kind of `authn/cached-kinds.ts` that is served, and answer nothing for the others.
 */
export function createAuth(
  options: AuthOptions,
  cache: RbacSource,
  clock: Clock,
  random: Random,
): Auth {
  const { issuer, keys, jwksUri, onSecretUsed } = options;
  const apiAudiences = [issuer];
  const verifier = new TokenVerifier(
    { issuer, keys, apiAudiences, ...(onSecretUsed ? { onSecretUsed } : {}) },
    cache,
    clock,
  );
  const authenticator = new RequestAuthenticator(verifier, cache, clock, apiAudiences);
  const rules = new RbacRules(cache);
  const authorizer = new AuthorizerChain([new NodeAuthorizer(cache), new RbacAuthorizer(rules)]);
  return {
    authenticator,
    authorizer,
    admission: [
      new NamespaceLifecycle(cache),
      new LimitRanger(cache),
      new ServiceAccountAdmission(cache, clock, random),
      new NodeRestriction(cache),
      taintNodesByCondition,
      new PodSecurity(cache),
      new Priority(cache),
      defaultTolerationSeconds,
      new DefaultStorageClass(cache),
      storageObjectInUseProtection,
      new PersistentVolumeClaimResize(cache),
      new RuntimeClassAdmission(cache),
      new CertificateApproval(authorizer),
      new CertificateSigning(authorizer),
      certificateSubjectRestriction,
      new EscalationCheck(rules, authorizer),
    ],
    tokens: new TokenIssuer({ issuer, key: keys[0], apiAudiences }, cache, clock, random),
    reviews: reviewHandlers({ authenticator, apiAudiences, authorizer, rules }),
    discovery: discoveryDocuments(issuer, jwksUri, keys),
  };
}
