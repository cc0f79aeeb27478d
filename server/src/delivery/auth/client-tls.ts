import { createHash, createPrivateKey, X509Certificate } from "node:crypto";

import type { EndpointAuth } from "@aftercall/contract/endpoint.ts";

import type { FieldError } from "#/kernel/errors.ts";
import type { ClientTls } from "#/kernel/net/http.ts";

type Mtls = Extract<EndpointAuth, { type: "mtls" }>;

/** A client certificate as the HTTP client takes it; the same certificate has the same id, so connections are shared. */
export function clientTlsOf({ certificate, private_key: privateKey, ca }: Mtls): ClientTls {
  const id = createHash("sha256")
    .update(JSON.stringify([certificate, privateKey, ca]))
    .digest("base64");
  return { id, certificate, privateKey, ca };
}

/** What is shown of a certificate. */
export function describeCertificate(certificate: string): { readonly subject: string; readonly expires_at: string } {
  const { subject, validToDate } = new X509Certificate(certificate);
  return { subject: subject.replaceAll("\n", ", "), expires_at: validToDate.toISOString() };
}

/** What is wrong with a certificate and its key; nothing when they can be used. */
export function mtlsProblems({ certificate, private_key: privateKey, ca }: Mtls): FieldError[] {
  const leaf = read(() => new X509Certificate(certificate));
  const key = read(() => createPrivateKey(privateKey));
  const problems: FieldError[] = [];
  if (!leaf) problems.push({ pointer: "/auth/certificate", detail: "Not a certificate in PEM form" });
  if (!key) problems.push({ pointer: "/auth/private_key", detail: "Not an unencrypted private key in PEM form" });
  if (leaf && key && !leaf.checkPrivateKey(key)) {
    problems.push({ pointer: "/auth/private_key", detail: "The key is not the one of the certificate" });
  }
  if (ca !== null && !read(() => new X509Certificate(ca))) {
    problems.push({ pointer: "/auth/ca", detail: "Not a certificate in PEM form" });
  }
  return problems;
}

function read<Value>(work: () => Value): Value | null {
  try {
    return work();
  } catch {
    return null;
  }
}
