"use strict";

const http = require("node:http");
const { answer } = require("./answers");

const server = http.createServer((request, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(answer(request.url)));
});

// Longer than a load balancer keeps an idle connection (60 s).
server.keepAliveTimeout = 75_000;
server.listen(process.env.PORT);
process.on("SIGTERM", () => server.close());
