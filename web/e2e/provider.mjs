// A provider of log-ins by OpenID Connect, as companies have one: a certified implementation, with accounts that are made up.
// It is begun with its port and the address it sends people back to, and lets anybody in under any name, by any password.
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const [port, back] = process.argv.slice(2);

/** Who is in which group. */
const groups = { "gus@example.org": ["planners"] };

const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });

const provider = new Provider(`http://localhost:${port}`, {
  clients: [{ client_id: "esker", client_secret: "a secret of the tests / with = signs", redirect_uris: [back] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["groups"] },
  cookies: { keys: ["of the tests"] },
  jwks: { keys: [{ ...key, kid: "first", use: "sig", alg: "RS256" }] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id, email_verified: !id.startsWith("unverified"), groups: groups[id] ?? [] }),
  }),
});

provider.listen(Number(port), "127.0.0.1");
