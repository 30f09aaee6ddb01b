// The inspector's page: what one caller has, run by an administrator in its place.
// It is the workspace of the console over an endpoint of the admin's own.

import { HttpError } from "../mcp_transport/client.js";
import { showConfiguration } from "../mcp_transport/console/configuration.js";
import { addressOf } from "../mcp_transport/console/catalogue.js";
import { el } from "../mcp_transport/console/dom.js";
import { Workspace } from "../mcp_transport/console/workspace.js";

const UNAUTHORIZED = 401;
/** What the console calls the kinds of entries. */
const SHOWN_AS = { tools: "tool", resources: "resource", templates: "template", prompts: "prompt" };

class Inspector {
  /** @param {HTMLElement} root  whose data say where to call, and as whom */
  constructor(root) {
    this.root = root;
    this.workspace = new Workspace(root, { onlost: (error) => this.fail(error) });
    this.part("configuration").addEventListener("click", () => this.configure());
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  async connect() {
    const { inspector, kind, key } = this.root.dataset;
    if (key && !location.hash) history.replaceState(null, "", addressOf(SHOWN_AS[kind], key));
    try {
      await this.workspace.connect(new URL(inspector, location.href), this.options());
    } catch (error) {
      this.fail(error);
      return;
    }
    if (this.workspace.client) this.welcome(this.workspace.client);
  }

  welcome({ server: { info }, revision }) {
    this.part("server").textContent = `${info.title ?? info.name} ${info.version}, ${revision}`;
    for (const part of this.root.querySelectorAll("[data-when-connected]")) part.hidden = false;
    // What was not shown could not take the focus.
    this.workspace.route();
  }

  options() {
    const { runAs, runAsHeader, csrfHeader } = this.root.dataset;
    const token = this.root.querySelector("[name=csrfmiddlewaretoken]").value;
    return {
      headers: { [runAsHeader]: runAs, [csrfHeader]: token },
      credentials: "same-origin",
      clientInfo: { name: "inspector of the admin", version: "1" },
      onwire: (direction, message, meta) => this.workspace.wire.add(direction, message, this.asOfClient(meta)),
    };
  }

  /** Says how a client sends a message: to the endpoint itself, with a token. */
  asOfClient(meta) {
    if (!meta.http) return meta;
    const { runAsHeader, csrfHeader, endpoint } = this.root.dataset;
    const ours = new Set([runAsHeader.toLowerCase(), csrfHeader.toLowerCase()]);
    const kept = Object.entries(meta.http.headers).filter(([name]) => !ours.has(name.toLowerCase()));
    const headers = { Authorization: "Bearer …", ...Object.fromEntries(kept) };
    return { ...meta, http: { ...meta.http, url: endpoint, headers } };
  }

  configure() {
    const { name } = this.workspace.client.server.info;
    showConfiguration({ name, url: this.root.dataset.endpoint, door: "streamable-http" });
  }

  /** Says why there is no connection, or none any more. */
  fail(error) {
    const problem = this.part("problem");
    problem.replaceChildren(error.message);
    if (error instanceof HttpError && error.status === UNAUTHORIZED) {
      problem.append(" ", el("a", { href: location.href }, "Log in again"));
    }
    problem.hidden = false;
  }
}

new Inspector(document.getElementById("inspector")).connect();
