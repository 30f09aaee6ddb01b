// One connection and what is done with it: the catalogue, the entry that is looked
// at, the messages on the wire, log and notifications.

import { Client, McpError } from "../client.js";
import { Activity } from "./activity.js";
import { addressOf, ALL_KINDS, Catalogue, fromAddress, KINDS } from "./catalogue.js";
import { within } from "./dom.js";
import { panelFor } from "./panels.js";
import { askForMessage, askUser } from "./questions.js";
import { asError, sentence } from "./result.js";
import { Status } from "./status.js";
import { WireLog } from "./wirelog.js";

/** @typedef {import("./catalogue.js").Kind} Kind */
/** @typedef {import("./catalogue.js").Chosen} Chosen */
/** @typedef {import("./catalogue.js").Entry} Entry */
/** @typedef {import("./panels.js").Panel & {written: string}} Shown  `written` is the entry, as it was then */

const METHOD_NOT_FOUND = -32601;
/** What is shown elsewhere than among the notifications, or is of no interest there. */
const SHOWN_ELSEWHERE = new Set([
  "notifications/message",
  "notifications/progress",
  "notifications/subscriptions/acknowledged",
]);
/** @type {Record<string, Kind[]>} */
const LISTS = {
  "notifications/tools/list_changed": ["tool"],
  "notifications/resources/list_changed": ["resource", "template"],
  "notifications/prompts/list_changed": ["prompt"],
};

export class Workspace {
  /**
   * @param {HTMLElement} root  in which elements with `data-part` say what goes where:
   *   status, workspace, catalogue, entry, panel, welcome, missing, wire, activity, level
   * @param {object} [options]
   * @param {() => string | undefined} [options.getToken]  as the wire log takes it
   * @param {(error: Error) => void} [options.onlost]  the connection is over, and why
   */
  constructor(root, { getToken, onlost = () => {} } = {}) {
    this.root = root;
    this.onlost = onlost;
    /** @type {Client | null} */
    this.client = null;
    this.isOpen = false; // the lists are there
    /** @type {Shown | null} */
    this.shown = null;
    /** By address, so that results are there when one comes back. @type {Map<string, Shown>} */
    this.panels = new Map();
    this.status = new Status();
    this.catalogue = new Catalogue();
    this.activity = new Activity();
    this.wire = new WireLog({ getToken });
    for (const name of /** @type {const} */ (["status", "catalogue", "wire", "activity"])) {
      this.part(name).append(this[name].element);
    }
    this.level = /** @type {HTMLSelectElement} */ (this.part("level"));
    this.levels = within(root, "label:has([data-part=level])");
    this.activity.toolbar.prepend(this.levels);
    this.level.addEventListener("change", () => this.setLevel());
    this.part("entry").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.catalogue.focus();
    });
    addEventListener("hashchange", () => this.route());
    addEventListener("pagehide", () => this.client?.close());
  }

  /** @param {string} name */
  part(name) {
    return within(this.root, `[data-part="${name}"]`);
  }

  /**
   * Connects, and shows what there is. Rejects as `Client.connect` does.
   *
   * @param {string | URL} url
   * @param {import("../client").Options} options
   */
  async connect(url, options) {
    this.wire.clear();
    this.activity.clear();
    this.status.show("connecting");
    try {
      this.client = await Client.connect(url, { ...this.ears(), ...options });
    } catch (error) {
      this.status.show("closed");
      throw error;
    }
    await this.open(this.client);
  }

  /**
   * What is heard of the client while it works.
   *
   * @returns {import("../client").Options}
   */
  ears() {
    return {
      onwire: (direction, message, meta) => this.wire.add(direction, message, meta),
      onstate: (state, detail) => this.hear(state, detail),
      onlog: (message) => this.activity.log(message),
      onnotification: (method, params) => this.notice(method, params),
      onelicit: askUser,
      onsample: askForMessage,
      capabilities: { elicitation: { form: {}, url: {} } },
    };
  }

  /** @param {Client} client */
  async open(client) {
    const { logging } = client.server.capabilities;
    this.levels.hidden = !logging;
    this.status.show(client.state);
    if (logging) this.setLevel();
    await this.refresh(ALL_KINDS);
    if (client !== this.client) return;
    this.isOpen = true;
    this.listen(client);
    this.route();
  }

  /** Ends the connection, if there is one. */
  async close() {
    const { client } = this;
    this.forget();
    await client?.close();
  }

  forget() {
    this.client = null;
    this.isOpen = false;
    this.panels.clear();
    this.catalogue.clear();
    this.route();
    this.status.show("closed");
  }

  /** @param {Kind[]} kinds */
  async refresh(kinds) {
    await Promise.all(kinds.map((kind) => this.list(kind, this.client)));
  }

  /**
   * @param {Kind} kind
   * @param {Client | null} client
   */
  async list(kind, client) {
    const { feature, list, label } = KINDS[kind];
    if (!client?.server.capabilities[feature]) return;
    try {
      const entries = await list(client);
      // Another connection may have taken its place meanwhile, or none.
      if (client !== this.client) return;
      this.catalogue.fill(kind, entries);
      if (this.isOpen) this.renew();
    } catch (error) {
      const isUnknown = error instanceof McpError && error.code === METHOD_NOT_FOUND;
      if (!isUnknown) this.complain(client, `${label} could not be listed`, error);
    }
  }

  /** @param {Client} client */
  async listen(client) {
    const { tools, resources, prompts } = client.server.capabilities;
    const wanted = {
      toolsListChanged: Boolean(tools?.listChanged),
      resourcesListChanged: Boolean(resources?.listChanged),
      promptsListChanged: Boolean(prompts?.listChanged),
    };
    if (!Object.values(wanted).some(Boolean)) return;
    /** @param {string} method */
    const onchange = (method) => this.refresh(LISTS[method] ?? []);
    /** @param {Error} error */
    const onend = (error) => this.complain(client, "Changes of the catalogue are not told any more", error);
    try {
      await client.listen(wanted, { onchange, onend });
    } catch (error) {
      this.complain(client, "Changes of the catalogue are not told", error);
    }
  }

  async setLevel() {
    const { client } = this;
    try {
      await client?.setLogLevel(/** @type {import("../client").LogLevel} */ (this.level.value));
    } catch (error) {
      this.complain(client, "The log level was refused", error);
    }
  }

  /**
   * @param {Client | null} client
   * @param {string} what
   * @param {unknown} error
   */
  complain(client, what, error) {
    if (client === this.client) this.activity.note(`${what}. ${sentence(asError(error))}`);
  }

  /**
   * @param {import("../client").State} state
   * @param {import("../client").StateDetail} detail
   */
  hear(state, detail) {
    const wasReconnecting = this.status.element.dataset.state === "reconnecting";
    this.status.show(state, detail);
    if (state === "reconnecting" && !wasReconnecting) {
      this.activity.note(`The connection broke. ${detail.error ? sentence(detail.error) : ""}`);
    }
    if (state === "open" && wasReconnecting) {
      this.activity.note(detail.renewed ? "Connected again, in a new session." : "Resumed.");
      this.refresh(ALL_KINDS); // what changed meanwhile may have gone untold
    }
    if (state === "closed" && detail.error && this.client) {
      this.forget();
      this.onlost(detail.error);
    }
  }

  /**
   * @param {string} method
   * @param {import("../client").JsonObject} params
   */
  notice(method, params) {
    if (!SHOWN_ELSEWHERE.has(method)) this.activity.notification(method, params);
    if (method !== "notifications/resources/updated") return;
    const panel = this.panels.get(addressOf("resource", params.uri));
    if (panel && !panel.run.isRunning) panel.changed?.();
  }

  /** Goes to what the address of the page names. */
  route() {
    const panel = this.show();
    if (!panel) return;
    this.part("entry").scrollTop = 0;
    panel.heading.focus();
  }

  /** Shows what the address of the page names; gives its panel, if there is one. */
  show() {
    const { client } = this;
    const named = client && fromAddress(location.hash);
    const entry = named && this.find(named);
    const panel = client && named && entry ? this.panel(named, entry, client) : null;
    this.catalogue.mark(entry ? named : null);
    this.part("workspace").toggleAttribute("data-chosen", Boolean(named));
    this.part("welcome").hidden = Boolean(entry);
    this.part("missing").hidden = !named || Boolean(entry);
    this.part("panel").replaceChildren(...(panel ? [panel.element] : []));
    this.shown = panel;
    return panel;
  }

  /**
   * Returns what is at an address. A resource need not be listed to be read.
   *
   * @param {Chosen} chosen
   * @returns {Entry | undefined}
   */
  find({ kind, key }) {
    return this.catalogue.find(kind, key) ?? (kind === "resource" ? { uri: key, name: key } : undefined);
  }

  /** Shows anew what is looked at, if it has come, gone or changed. */
  renew() {
    const named = fromAddress(location.hash);
    const entry = named && this.find(named);
    const isAsShown = entry ? this.shown?.written === JSON.stringify(entry) : !this.shown;
    // Nobody's words are taken from under the hands.
    const isInUse = entry && (this.shown?.run.isRunning || this.shown?.element.querySelector("form:focus-within"));
    if (!isAsShown && !isInUse) this.show();
  }

  /**
   * @param {Chosen} chosen
   * @param {Entry} entry
   * @param {Client} client
   * @returns {Shown}
   */
  panel({ kind, key }, entry, client) {
    const address = addressOf(kind, key);
    const written = JSON.stringify(entry);
    const kept = this.panels.get(address);
    if (kept && (kept.written === written || kept.run.isRunning)) return kept;
    /** @param {string} uri */
    const openResource = (uri) => (location.hash = addressOf("resource", uri));
    const bench = { client, openResource };
    const panel = { ...panelFor(kind, entry, bench), written };
    this.panels.set(address, panel);
    return panel;
  }
}
