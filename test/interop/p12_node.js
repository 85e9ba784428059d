/*
 * node p12_node.js FILE PASSWORD OUT ROOT - a TLS server with FILE as its identity and a client that trusts
 * ROOT alone; writes the public key the client saw to OUT (PEM).
 *
 * Exit 0 only if the handshake is done: the key was usable and the path in FILE leads to ROOT.
 */
'use strict';
const fs = require('fs');
const tls = require('tls');
const { X509Certificate } = require('crypto');

const [file, passphrase, out, root] = process.argv.slice(2);
const fail = (e) => {
    console.error(e.message);
    process.exit(1);
};
process.on('uncaughtException', fail);

const server = tls.createServer({ pfx: fs.readFileSync(file), passphrase }, (s) => s.on('error', () => {}));

server.on('tlsClientError', fail);
server.listen(0, '127.0.0.1', () => {
    const client = tls.connect({
        host: '127.0.0.1',
        port: server.address().port,
        servername: 'reader.contoso.example',
        ca: fs.readFileSync(root),
    });

    client.on('error', fail);
    client.on('secureConnect', () => {
        const seen = new X509Certificate(client.getPeerCertificate().raw);

        fs.writeFileSync(out, seen.publicKey.export({ type: 'spki', format: 'pem' }));
        client.end();
        server.close();
    });
});
