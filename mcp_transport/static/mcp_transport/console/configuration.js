// A dialog with the configuration of other clients, ready to be copied.

import { asClaudeCode, asConfiguration, copyButton } from "./copy.js";
import { button, el, uniqueId } from "./dom.js";

/** @type {[string, (address: import("./copy.js").Address) => string][]} */
const WRITERS = [
  ["Configuration with mcpServers, as in Cursor and many others", asConfiguration],
  ["Claude Code", asClaudeCode],
];

/**
 * Shows how another client connects to the same address.
 *
 * @param {import("./copy.js").Address} address  its token goes in when that is ticked
 */
export function showConfiguration(address) {
  const { token, ...open } = address;
  const title = el("h2", { id: uniqueId("title") }, "Connect another client");
  const tick = el("input", { type: "checkbox", id: uniqueId("tick") });
  const chosen = () => (tick.checked ? address : open);
  const snippets = WRITERS.map(([name, write]) => {
    const code = el("pre", { class: "mcp-text mcp-code", tabindex: 0 }, write(open));
    tick.addEventListener("change", () => (code.textContent = write(chosen())));
    const copier = copyButton("Copy", () => write(chosen()));
    return el("section", {}, el("h3", {}, name), el("div", { class: "mcp-block" }, code, copier));
  });
  const dialog = el("dialog", { class: "mcp-dialog", "aria-labelledby": title.id });
  const label = el("label", { for: tick.id }, "Put my token in: whoever reads the text can use it");
  dialog.append(
    title,
    ...snippets,
    token ? el("div", { class: "mcp-tick" }, tick, label) : "",
    el("div", { class: "mcp-actions" }, button("Close", () => dialog.close(), { autofocus: true })),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
