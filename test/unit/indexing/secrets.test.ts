import { describe, expect, it } from 'vitest';
import { containsPrivateKey, secretByName } from '../../../src/indexing/secrets.ts';

describe('secretByName', () => {
  it.each([
    '.env',
    'app/.env.production',
    '.env.local',
    '.envrc',
    'prod.env',
    'server.pem',
    'tls/Server.KEY',
    'id_rsa',
    '.config/id_ed25519_work',
    'store.p12',
    'release.keystore',
    '.npmrc',
    'home/.netrc',
    '.pypirc',
    '.aws/credentials',
    '.kube/config',
    'kubeconfig',
    'credentials.json',
    'gcp-credentials.json',
    'service-account-prod.json',
    'secrets.yaml',
    'infra/terraform.tfstate',
    'infra/terraform.tfstate.backup',
  ])('takes %s for a secret', (path) => {
    expect(secretByName(path)).toBeTypeOf('string');
  });

  it.each([
    '.env.example',
    '.env.local.sample',
    'src/env.ts',
    'src/environment.ts',
    'src/credentials.ts',
    'src/secrets.py',
    'docs/keys.md',
    'config',
    'src/keystore.go',
    'monkey',
    'tests/credentials_test.go',
    'deploy/secrets.tf',
  ])('leaves %s alone', (path) => {
    expect(secretByName(path)).toBeUndefined();
  });
});

describe('containsPrivateKey', () => {
  const body = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ';

  it('finds a key, also in a string of code, with headers of its own or of PGP', () => {
    expect(containsPrivateKey(`-----BEGIN PRIVATE KEY-----\n${body}`)).toBe(true);
    expect(containsPrivateKey(`"-----BEGIN RSA PRIVATE KEY-----\\n" +\n  "${body}\\n"`)).toBe(true);
    expect(containsPrivateKey(`-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n${body}`)).toBe(true);
    expect(containsPrivateKey(`-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${body}`)).toBe(true);
  });

  it('leaves code alone that only knows the header', () => {
    expect(containsPrivateKey('const HEADER = "-----BEGIN PRIVATE KEY-----";\nexport function parse() {}')).toBe(false);
    expect(containsPrivateKey('-----BEGIN PUBLIC KEY-----\n' + body)).toBe(false);
  });
});
