// An identity provider that is not ours: npm's oidc-provider over TLS, on a free port of 127.0.0.1.
//
//   node oidc.mjs CERT.pem KEY.pem APP.pem OUT [CODE-SECONDS]
//
// CERT and KEY are its own; APP is the certificate of the client that is no person.  When it serves, OUT/oidc-jwks.json
// has its public keys and OUT/oidc-issuer its issuer, which is written last.  Clients: certferry-sign-in (device code, no
// secret) and certferry-automation (client credentials, private_key_jwt, PS256 alone).  Tokens are for
// urn:certferry:cloud, as JWT.
import { Provider } from 'oidc-provider';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';

const [cert, key, app, out, codeSeconds = '600'] = process.argv.slice(2);
const read = name => fs.readFileSync(name);
const pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const names = { use: 'sig', alg: 'RS256', kid: 'op' };
const appKey = new crypto.X509Certificate(read(app)).publicKey.export({ format: 'jwk' });

function configuration() {
  return {
    jwks: { keys: [{ ...pair.privateKey.export({ format: 'jwk' }), ...names }] },
    cookies: { keys: [crypto.randomUUID()] },
    clients: [{
      client_id: 'certferry-automation', grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
      token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'PS256', jwks: { keys: [appKey] },
    }, {
      client_id: 'certferry-sign-in', application_type: 'native', token_endpoint_auth_method: 'none', redirect_uris: [],
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'], response_types: [],
    }],
    clientAuthMethods: ['private_key_jwt', 'none'],
    enabledJWA: { clientAuthSigningAlgValues: ['PS256', 'RS256', 'ES256'] },
    features: {
      deviceFlow: { enabled: true }, clientCredentials: { enabled: true }, devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true, defaultResource: () => 'urn:certferry:cloud', useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'ccp.enroll', audience: 'urn:certferry:cloud', accessTokenFormat: 'jwt', accessTokenTTL: 300,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    scopes: ['openid', 'offline_access', 'ccp.enroll'],
    ttl: { DeviceCode: Number(codeSeconds) },
    pkce: { required: () => false },
    findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  };
}

function announce(issuer) {
  const jwks = { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), ...names }] };
  fs.writeFileSync(`${out}/oidc-jwks.json`, JSON.stringify(jwks));
  fs.writeFileSync(`${out}/oidc-issuer.new`, issuer);
  fs.renameSync(`${out}/oidc-issuer.new`, `${out}/oidc-issuer`);
}

// The issuer has the port in it, so the provider is made once that is known.
const server = https.createServer({ cert: read(cert), key: read(key) });
server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration());
  provider.on('server_error', (context, error) => console.error(error));
  server.on('request', provider.callback());
  announce(issuer);
});
