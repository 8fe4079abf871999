// tokens.js: counts the characters, bytes and language-model tokens of files.
//
//   node tools/tokens.js FILE...
//
// Needs the npm package js-tiktoken, which it does not install: `npm install js-tiktoken` in any
// folder, and NODE_PATH=that/node_modules. Tokens are those of o200k_base and cl100k_base.
"use strict";
const fs = require("fs");

let getEncoding;
try {
    ({ getEncoding } = require("js-tiktoken"));
} catch {
    console.error("tokens.js: js-tiktoken is missing: npm install js-tiktoken, and set NODE_PATH");
    process.exit(2);
}

const names = ["o200k_base", "cl100k_base"];
const encodings = names.map((name) => getEncoding(name));
const files = process.argv.slice(2);
const total = [0, 0, 0, 0];
const line = (name, counts) =>
    console.log(name.padEnd(40) + counts.map((n) => String(n).padStart(12)).join(""));

if (files.length === 0) {
    console.error("usage: node tools/tokens.js FILE...");
    process.exit(2);
}
line("", ["characters", "bytes", ...names]);
for (const file of files) {
    const bytes = fs.readFileSync(file);
    const text = bytes.toString("utf8");
    const tokens = encodings.map((e) => e.encode(text, [], []).length);
    const counts = [[...text].length, bytes.length, ...tokens];
    counts.forEach((n, i) => (total[i] += n));
    line(file, counts);
}
if (files.length > 1) line("together", total);
