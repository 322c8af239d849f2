// A loopback HTTPS server that speaks HTTP/2 and HTTP/1.1.
//
//     node http2_server.js CERTIFICATE   (PEM, with its key)   prints its port
//
// /together/N answers when N requests wait for it; everything else at once. The answer is the version of HTTP
// and the number of the connection.
"use strict";

const fs = require("fs");
const http2 = require("http2");

const pem = fs.readFileSync(process.argv[2]);
const server = http2.createSecureServer({ key: pem, cert: pem, allowHTTP1: true });
const numbers = new Map();
let waiting = [];

server.on("request", (request, response) => {
    const connection = request.httpVersion === "2.0" ? request.stream.session : request.socket;
    if (!numbers.has(connection)) numbers.set(connection, numbers.size + 1);
    waiting.push(() => response.end(`${request.httpVersion} ${numbers.get(connection)}`));
    const together = request.url.match(/^\/together\/(\d+)$/);
    if (waiting.length < (together ? Number(together[1]) : 1)) return;
    for (const answer of waiting) answer();
    waiting = [];
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
