/**
 * Files that likely hold secrets are never indexed and no setting brings them back. By name first, so that they are not
 * even read; by a private key inside where the name is innocent.
 */

/** Why a file of this name is taken for a secret, as a clause for a person; `undefined` when it is not. */
export function secretByName(path: string): string | undefined {
  const lower = path.toLowerCase();
  const name = lower.slice(lower.lastIndexOf('/') + 1);
  if (PLACEHOLDER_ENV.test(name)) return undefined;
  const exact = SECRET_NAMES.get(name);
  if (exact !== undefined) return exact;
  const dot = name.lastIndexOf('.');
  const byExtension = dot === -1 ? undefined : SECRET_EXTENSIONS.get(name.slice(dot + 1));
  if (byExtension !== undefined) return byExtension;
  return SECRET_PATTERNS.find(([pattern]) => pattern.test(lower))?.[1];
}

/** Why a folder of this name is not entered: everything in it is a secret. */
export function secretFolder(name: string): string | undefined {
  return SECRET_FOLDERS.get(name.toLowerCase());
}

/** Whether a private key stands in the text, not merely the words of its header (as in a parser of keys). */
export function containsPrivateKey(text: string): boolean {
  return text.includes('PRIVATE KEY') && PRIVATE_KEY.test(text);
}

// Between header and key may stand headers of its own (`Proc-Type: …`), a line end, also one written as `\n` in a string.
const PRIVATE_KEY =
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:[\s"'`+,]|\\[rn])*(?:[A-Za-z-]+: [^\n]{0,200}\n\s*)*[A-Za-z0-9+/=]{40}/;

/** `.env.example` and the like hold names, not values. */
const PLACEHOLDER_ENV = /^\.env(?:[._-].+)?[._-](?:example|sample|template|tmpl|dist|defaults?|schema)$/;

const KEY_FILE = 'private key or certificate';
const KEY_STORE = 'key store';
const CREDENTIALS = 'credentials';
const ENVIRONMENT = 'environment file';

const SECRET_NAMES: ReadonlyMap<string, string> = new Map([
  ['.npmrc', CREDENTIALS],
  ['.pypirc', CREDENTIALS],
  ['.netrc', CREDENTIALS],
  ['_netrc', CREDENTIALS],
  ['.pgpass', CREDENTIALS],
  ['.my.cnf', CREDENTIALS],
  ['.git-credentials', CREDENTIALS],
  ['.htpasswd', CREDENTIALS],
  ['.dockercfg', CREDENTIALS],
  ['.dockerconfigjson', CREDENTIALS],
  ['.s3cfg', CREDENTIALS],
  ['.boto', CREDENTIALS],
  ['.vault-token', CREDENTIALS],
  ['.terraformrc', CREDENTIALS],
  ['terraform.rc', CREDENTIALS],
  ['credentials', CREDENTIALS],
  ['kubeconfig', CREDENTIALS],
]);

const SECRET_EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ['pem', KEY_FILE],
  ['key', KEY_FILE],
  ['p8', KEY_FILE],
  ['ppk', KEY_FILE],
  ['p12', KEY_STORE],
  ['pfx', KEY_STORE],
  ['jks', KEY_STORE],
  ['keystore', KEY_STORE],
  ['bcfks', KEY_STORE],
  ['kdbx', KEY_STORE],
  ['keychain', KEY_STORE],
  ['gpg', 'encrypted file'],
  ['ovpn', CREDENTIALS],
  ['kubeconfig', CREDENTIALS],
  ['env', ENVIRONMENT],
  ['tfstate', 'Terraform state, which holds secrets in clear'],
]);

/** Over the whole path in lower case. */
const SECRET_PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/(?:^|\/)\.env[^/]*$/, ENVIRONMENT],
  [/(?:^|\/)id_(?:rsa|dsa|ecdsa|ed25519)[^/]*$/, KEY_FILE],
  [/(?:^|\/)(?:\w+[._-])?credentials?\.(?:json|ya?ml|toml|ini|csv|xml|properties|db)$/, CREDENTIALS],
  [/(?:^|\/)secrets?\.(?:json|ya?ml|toml|ini|properties)$/, CREDENTIALS],
  [/(?:^|\/)client_secret[^/]*\.json$/, CREDENTIALS],
  [/(?:^|\/)service[-_]account[^/]*\.json$/, CREDENTIALS],
  [/(?:^|\/)\.(?:kube|docker)\/config(?:\.json)?$/, CREDENTIALS],
  [/(?:^|\/)\.aws\/[^/]+$/, CREDENTIALS],
  [/\.tfstate\.backup$/, 'Terraform state, which holds secrets in clear'],
];

const SECRET_FOLDERS: ReadonlyMap<string, string> = new Map([
  ['.ssh', 'keys of SSH'],
  ['.gnupg', 'keys of GnuPG'],
  ['.env', ENVIRONMENT],
  ['.envs', 'environment files'],
]);
