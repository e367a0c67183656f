import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificates {
  /** Paths of PEM files. */
  ca: string;
  certificate: string;
  key: string;
  /** Signs the tokens of service accounts. */
  accounts: string;
  /** What `ca` holds. */
  caText: string;
}

/** A certificate authority of its own and what an API server on 127.0.0.1 needs of it, in this folder. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string): string => join(folder, name);
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const until = ['-days', '2'];
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=kedge-test', ...until);
  openssl('req', ...newKey, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=kube-apiserver');
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc\n');
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names', ...until];
  openssl('x509', '-req', '-in', 'server.csr', '-out', 'server.crt', ...signed);
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'accounts.key');
  return {
    ca: at('ca.crt'),
    certificate: at('server.crt'),
    key: at('server.key'),
    accounts: at('accounts.key'),
    caText: readFileSync(at('ca.crt'), 'utf8'),
  };
}
