// The console: one connection at a time, its catalogue, and what is done with it.

import { Client, McpError } from "../client.js";
import { Activity } from "./activity.js";
import { addressOf, Catalogue, fromAddress, KINDS } from "./catalogue.js";
import { showConfiguration } from "./configuration.js";
import { ConnectForm } from "./connectform.js";
import { isConfigurable } from "./copy.js";
import { panelFor } from "./panels.js";
import { askForMessage, askUser } from "./questions.js";
import { Status } from "./status.js";
import { WireLog } from "./wirelog.js";

const $ = (name) => document.querySelector(`[data-part="${name}"]`);
const METHOD_NOT_FOUND = -32601;
/** What is shown elsewhere than among the notifications. */
const SHOWN_ELSEWHERE = new Set(["notifications/message", "notifications/progress"]);
const LISTS = {
  "notifications/tools/list_changed": ["tool"],
  "notifications/resources/list_changed": ["resource", "template"],
  "notifications/prompts/list_changed": ["prompt"],
};

class Console {
  constructor() {
    this.client = null;
    this.where = null;
    this.panels = new Map(); // by address, so that results are there when one comes back
    this.status = new Status();
    this.catalogue = new Catalogue();
    this.activity = new Activity();
    this.wire = new WireLog({ getToken: () => ($("with-token").checked ? this.where?.options.token : undefined) });
    this.form = new ConnectForm($("connect-form"), { onconnect: (where) => this.connect(where) });
    $("status").append(this.status.element);
    $("catalogue").append(this.catalogue.element);
    $("wire").append(this.wire.element);
    $("activity").append(this.activity.element);
    $("disconnect").addEventListener("click", () => this.disconnect());
    $("configuration").addEventListener("click", () => showConfiguration(this.address()));
    $("level").addEventListener("change", () => this.setLevel());
    $("entry").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.catalogue.focus();
    });
    addEventListener("hashchange", () => this.route());
    addEventListener("pagehide", () => this.client?.close());
  }

  /** @param {{url: string, options: object}} where */
  async connect(where) {
    this.form.show(null);
    this.form.wait(true);
    this.where = where;
    this.wire.clear();
    this.activity.clear();
    try {
      this.client = await Client.connect(where.url, { ...where.options, ...this.ears() });
    } catch (error) {
      this.status.show("closed");
      this.form.show(reasonOf(error, where));
      return;
    } finally {
      this.form.wait(false);
    }
    await this.welcome();
  }

  /** What is heard of the client while it works. */
  ears() {
    return {
      onwire: (...heard) => this.wire.add(...heard),
      onstate: (state, detail) => this.hear(state, detail),
      onlog: (message) => this.activity.log(message),
      onnotification: (method, params) => this.notice(method, params),
      onelicit: askUser,
      onsample: askForMessage,
      capabilities: { elicitation: { form: {}, url: {} } },
    };
  }

  async welcome() {
    const { server, revision } = this.client;
    const { name, title, version } = server.info;
    $("server").textContent = title ?? name;
    $("server-version").textContent = version;
    $("revision").textContent = revision;
    $("instructions").textContent = server.instructions ?? "";
    $("level").closest("label").hidden = !server.capabilities.logging;
    $("configuration").hidden = !isConfigurable(this.where.options.door);
    document.body.dataset.connected = "";
    this.status.show(this.client.state);
    if (server.capabilities.logging) this.setLevel();
    await Promise.all(Object.keys(KINDS).map((kind) => this.refresh(kind)));
    this.listen();
    this.route();
    if (!document.activeElement?.closest("[data-part=entry]")) this.catalogue.focus();
  }

  /** @param {import("./catalogue.js").Kind} kind */
  async refresh(kind) {
    const { feature, list, label } = KINDS[kind];
    if (!this.client.server.capabilities[feature]) return;
    try {
      this.catalogue.fill(kind, await list(this.client));
    } catch (error) {
      const isUnknown = error instanceof McpError && error.code === METHOD_NOT_FOUND;
      if (!isUnknown) this.activity.note(`${label} could not be listed: ${error.message}`);
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

  async setLevel() {
    try {
      await this.client.setLogLevel($("level").value);
    } catch (error) {
      this.activity.note(`The log level was refused: ${error.message}`);
    }
  }

  hear(state, detail) {
    const wasReconnecting = this.status.element.dataset.state === "reconnecting";
    this.status.show(state, detail);
    if (state === "reconnecting" && !wasReconnecting) {
      this.activity.note(`The connection broke: ${detail.error?.message ?? "no reason given"}`);
    }
    if (state === "open" && wasReconnecting) {
      this.activity.note(detail.renewed ? "Connected again, in a new session." : "Resumed.");
      if (detail.renewed) Object.keys(KINDS).forEach((kind) => this.refresh(kind));
    }
    if (state === "closed" && detail.error && this.client) this.leave(detail.error);
  }

  notice(method, params) {
    if (!SHOWN_ELSEWHERE.has(method)) this.activity.notification(method, params);
    if (method !== "notifications/resources/updated") return;
    const panel = this.panels.get(addressOf("resource", params.uri));
    if (panel && !panel.run.isRunning) panel.changed();
  }

  /** Shows what the address of the page names. */
  route() {
    const named = this.client && fromAddress(location.hash);
    const entry = named && this.catalogue.find(named.kind, named.key);
    this.catalogue.mark(entry ? named : null);
    $("workspace").toggleAttribute("data-chosen", Boolean(named));
    $("welcome").hidden = Boolean(entry);
    if (!entry) {
      $("panel").replaceChildren();
      $("missing").hidden = !named;
      return;
    }
    const panel = this.panel(named, entry);
    $("panel").replaceChildren(panel.element);
    $("entry").scrollTop = 0;
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

  address() {
    const { url, options } = this.where;
    return { name: this.client.server.info.name, url, door: options.door, token: options.token };
  }

  async disconnect() {
    const { client } = this;
    this.leave(null);
    await client.close();
  }

  /** @param {Error | null} error  why, if it was not by the user's will */
  leave(error) {
    this.client = null;
    this.panels.clear();
    this.catalogue.clear();
    this.route();
    delete document.body.dataset.connected;
    this.status.show("closed");
    this.form.show(error && reasonOf(error, this.where));
    $("connect-form").querySelector("[type=submit]").focus();
  }
}

/** Says why there is no connection, and what can be done about it. */
function reasonOf(error, { url }) {
  const isElsewhere = new URL(url, location.href).origin !== location.origin;
  const hint = isElsewhere
    ? ` If it runs, it may not let pages of ${location.origin} in: allow this origin there.`
    : "";
  return `${error.message}${error.status ? "" : hint}`;
}

new Console();
