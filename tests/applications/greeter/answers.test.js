"use strict";

const assert = require("node:assert");
const test = require("node:test");
const { answer } = require("./answers");

test("the version is told", () => {
  process.env.APPLICATION_VERSION = "1.0-1";
  assert.deepStrictEqual(answer("/version"), { version: "1.0-1" });
});
