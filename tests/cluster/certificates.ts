import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of PEM files. */
interface Identity {
  certificate: string;
  key: string;
}

export interface Certificates extends Identity {
  /** Path of a PEM file. */
  ca: string;
  /** Signs the tokens of service accounts. */
  accounts: string;
  /** What `ca` holds. */
  caText: string;
  /** Who passes requests on to other API servers: an authority of its own, as nobody else may speak for users. */
  frontProxy: Identity & { ca: string; name: string };
  /** For a server that the cluster knows by these names: `DNS:metrics.monitoring.svc`. */
  serving(name: string, alternatives: readonly string[]): Identity;
}

const FRONT_PROXY = 'front-proxy-client';

/** Certificate authorities of its own and what an API server on 127.0.0.1 needs of them, in this folder. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string): string => join(folder, name);
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const until = ['-days', '2'];
  const authority = (name: string): string => {
    const subject = `/CN=kedge-test-${name}`;
    openssl('req', '-x509', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', subject, ...until);
    return at(`${name}.crt`);
  };
  const sign = (by: string, name: string, extension: string): Identity => {
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(at(`${name}.ext`), `${extension}\n`);
    const signed = ['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial', '-extfile', `${name}.ext`, ...until];
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, ...signed);
    return { certificate: at(`${name}.crt`), key: at(`${name}.key`) };
  };
  const serving = (name: string, alternatives: readonly string[]): Identity =>
    sign('ca', name, `subjectAltName=${alternatives.join()}`);
  const ca = authority('ca');
  const frontProxyCa = authority('front-proxy-ca');
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'accounts.key');
  return {
    ca,
    ...serving('kube-apiserver', ['IP:127.0.0.1', 'DNS:localhost', 'DNS:kubernetes.default.svc']),
    accounts: at('accounts.key'),
    caText: readFileSync(ca, 'utf8'),
    frontProxy: {
      ...sign('front-proxy-ca', FRONT_PROXY, 'extendedKeyUsage=clientAuth'),
      ca: frontProxyCa,
      name: FRONT_PROXY,
    },
    serving,
  };
}
