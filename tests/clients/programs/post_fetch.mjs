// Posts its standard input; prints the decoded body of the reply as it comes.
//
// Arguments: the URL, and the headers as JSON.

import { buffer } from "node:stream/consumers";

const [url, headers] = process.argv.slice(2);
const body = await buffer(process.stdin);
const reply = await fetch(url, { method: "POST", headers: JSON.parse(headers), body });
for await (const piece of reply.body) {
  process.stdout.write(piece);
}
