"use strict";

const ms = require("ms");

/** What is answered at a path: a greeting, and what the load balancer and the roller ask. */
function answer(path) {
  if (path === "/version") {
    return { version: process.env.APPLICATION_VERSION || "" };
  }
  return { hello: "world", up: ms(Math.round(process.uptime() * 1000)) };
}

module.exports = { answer };
