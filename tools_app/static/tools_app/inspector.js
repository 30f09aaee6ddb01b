// The inspector's page: what one caller has, run by an administrator in its place.
// It is the console's parts over an endpoint of the admin's own.

import { Client, HttpError } from "../mcp_transport/client.js";
import { Activity } from "../mcp_transport/console/activity.js";
import { addressOf, Catalogue, fromAddress, KINDS } from "../mcp_transport/console/catalogue.js";
import { showConfiguration } from "../mcp_transport/console/configuration.js";
import { el } from "../mcp_transport/console/dom.js";
import { panelFor } from "../mcp_transport/console/panels.js";
import { askForMessage, askUser } from "../mcp_transport/console/questions.js";
import { Status } from "../mcp_transport/console/status.js";
import { WireLog } from "../mcp_transport/console/wirelog.js";

const LISTS = {
  "notifications/tools/list_changed": ["tool"],
  "notifications/resources/list_changed": ["resource", "template"],
  "notifications/prompts/list_changed": ["prompt"],
};
const SHOWN_ELSEWHERE = new Set(["notifications/message", "notifications/progress"]);
const DOOR = "streamable-http";

class Inspector {
  /** @param {HTMLElement} root  whose data say where to call, and as whom */
  constructor(root) {
    this.root = root;
    this.panels = new Map(); // by address, so that results are there when one comes back
    this.status = new Status();
    this.catalogue = new Catalogue();
    this.wire = new WireLog();
    this.activity = new Activity();
    this.part("status").append(this.status.element);
    this.part("catalogue").append(this.catalogue.element);
    this.part("wire").append(this.wire.element);
    this.part("activity").append(this.activity.element);
    this.part("configuration").addEventListener("click", () => this.showConfiguration());
    addEventListener("hashchange", () => this.route());
    addEventListener("pagehide", () => this.client?.close());
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  async connect() {
    const { inspector } = this.root.dataset;
    this.status.show("connecting", {});
    try {
      this.client = await Client.connect(new URL(inspector, location.href), this.options());
    } catch (error) {
      this.status.show("closed", {});
      this.fail(error);
      return;
    }
    this.status.show(this.client.state, {});
    const { info } = this.client.server;
    this.part("server").textContent = `${info.title ?? info.name} ${info.version}, ${this.client.revision}`;
    for (const name of ["workspace", "configuration"]) this.part(name).hidden = false;
    for (const beside of this.root.querySelectorAll('[data-part="beside"]')) beside.hidden = false;
    await Promise.all(Object.keys(KINDS).map((kind) => this.refresh(kind)));
    this.listen();
    const { tool } = this.root.dataset;
    if (tool && !location.hash) location.replace(addressOf("tool", tool));
    this.route();
  }

  options() {
    const { runAs, runAsHeader, csrfHeader } = this.root.dataset;
    const token = this.root.querySelector("[name=csrfmiddlewaretoken]").value;
    return {
      headers: { [runAsHeader]: runAs, [csrfHeader]: token },
      credentials: "same-origin",
      clientInfo: { name: "inspector of the admin", version: "1" },
      capabilities: { elicitation: { form: {}, url: {} } },
      onwire: (direction, message, meta) => this.wire.add(direction, message, this.asOfAClient(meta)),
      onstate: (state, detail) => this.hear(state, detail),
      onlog: (message) => this.activity.log(message),
      onnotification: (method, params) => {
        if (!SHOWN_ELSEWHERE.has(method)) this.activity.notification(method, params);
      },
      onelicit: askUser,
      onsample: askForMessage,
    };
  }

  /** Says what a message travels in where a client sends it, which has a token. */
  asOfAClient(meta) {
    if (!meta.http) return meta;
    const { runAsHeader, csrfHeader, endpoint } = this.root.dataset;
    const ours = new Set([runAsHeader.toLowerCase(), csrfHeader.toLowerCase()]);
    const kept = Object.entries(meta.http.headers).filter(([name]) => !ours.has(name.toLowerCase()));
    const headers = { Authorization: "Bearer …", ...Object.fromEntries(kept) };
    return { ...meta, http: { ...meta.http, url: endpoint, headers } };
  }

  /** @param {import("../mcp_transport/console/catalogue.js").Kind} kind */
  async refresh(kind) {
    const { feature, list, label } = KINDS[kind];
    if (!this.client.server.capabilities[feature]) return;
    try {
      this.catalogue.fill(kind, await list(this.client));
    } catch (error) {
      this.activity.note(`${label} could not be listed: ${error.message}`);
    }
  }

  async listen() {
    const { tools, resources, prompts } = this.client.server.capabilities;
    const wanted = {
      toolsListChanged: Boolean(tools?.listChanged),
      resourcesListChanged: Boolean(resources?.listChanged),
      promptsListChanged: Boolean(prompts?.listChanged),
    };
    if (!Object.values(wanted).some(Boolean)) return;
    const onchange = (method) => (LISTS[method] ?? []).forEach((kind) => this.refresh(kind));
    try {
      await this.client.listen(wanted, { onchange });
    } catch (error) {
      this.activity.note(`Changes of the catalogue are not told: ${error.message}`);
    }
  }

  hear(state, detail) {
    this.status.show(state, detail);
    if (state === "closed" && detail.error) this.fail(detail.error);
  }

  /** Shows what the address of the page names. */
  route() {
    const named = this.client && fromAddress(location.hash);
    const entry = named && this.catalogue.find(named.kind, named.key);
    this.catalogue.mark(entry ? named : null);
    this.part("workspace").toggleAttribute("data-chosen", Boolean(named));
    this.part("welcome").hidden = Boolean(entry);
    this.part("missing").hidden = !named;
    if (!entry) {
      this.part("panel").replaceChildren();
      return;
    }
    const panel = this.panel(named, entry);
    this.part("panel").replaceChildren(panel.element);
    panel.heading.focus({ preventScroll: true });
  }

  panel({ kind, key }, entry) {
    const address = addressOf(kind, key);
    const written = JSON.stringify(entry);
    const kept = this.panels.get(address);
    if (kept && (kept.written === written || kept.run.isRunning)) return kept;
    const bench = { client: this.client, openResource: (uri) => this.openResource(uri) };
    const panel = { ...panelFor(kind, entry, bench), written };
    this.panels.set(address, panel);
    return panel;
  }

  /** Shows a resource, whether it is listed or not. */
  openResource(uri) {
    if (!this.catalogue.find("resource", uri)) {
      this.catalogue.fill("resource", [...this.catalogue.entries.resource, { uri, name: uri }]);
    }
    location.hash = addressOf("resource", uri);
  }

  showConfiguration() {
    const { name } = this.client.server.info;
    showConfiguration({ name, url: this.root.dataset.endpoint, door: DOOR });
  }

  fail(error) {
    const isLoggedOut = error instanceof HttpError && error.status === 401;
    const again = isLoggedOut && el("a", { href: location.href }, "Log in again");
    const problem = this.part("problem");
    problem.replaceChildren(error.message, ...(again ? [" ", again] : []));
    problem.hidden = false;
  }
}

new Inspector(document.getElementById("inspector")).connect();
