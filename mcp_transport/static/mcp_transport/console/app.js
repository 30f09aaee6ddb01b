// The console: a form that connects, and the workspace of what it connected to.

import { HttpError } from "../client.js";
import { showConfiguration } from "./configuration.js";
import { ConnectForm } from "./connectform.js";
import { isConfigurable } from "./copy.js";
import { asError, sentence } from "./result.js";
import { Workspace } from "./workspace.js";

/** @typedef {import("./connectform.js").Where} Where */

class Console {
  /** @param {HTMLElement} root */
  constructor(root) {
    /** Where it is connected to, or was last. @type {Where | undefined} */
    this.where = undefined;
    this.workspace = new Workspace(root, {
      getToken: () => (this.isTokenWanted ? this.where?.options.token : undefined),
      onlost: (error) => this.leave(error),
    });
    const form = /** @type {HTMLFormElement} */ (this.part("connect-form"));
    this.form = new ConnectForm(form, { onconnect: (where) => this.connect(where) });
    this.part("disconnect").addEventListener("click", () => this.disconnect());
    this.part("configuration").addEventListener("click", () => this.configure());
    // A page that comes back as it was left comes back without its connection.
    addEventListener("pageshow", (event) => event.persisted && this.disconnect());
  }

  get isTokenWanted() {
    return /** @type {HTMLInputElement} */ (this.part("with-token")).checked;
  }

  /** @param {string} name */
  part(name) {
    return this.workspace.part(name);
  }

  /** @param {Where} where */
  async connect(where) {
    this.where = where;
    this.form.show(null);
    this.form.wait(true);
    try {
      await this.workspace.connect(where.url, where.options);
    } catch (error) {
      this.form.show(reasonOf(error, where));
      return;
    } finally {
      this.form.wait(false);
    }
    if (this.workspace.client) this.welcome(this.workspace.client, where);
  }

  /**
   * @param {import("../client").Client} client
   * @param {Where} where
   */
  welcome({ server, revision }, { options }) {
    const { name, title, version } = server.info;
    this.part("server").textContent = title ?? name;
    this.part("server-version").textContent = version;
    this.part("revision").textContent = revision;
    this.part("instructions").textContent = server.instructions ?? "";
    this.part("configuration").hidden = !isConfigurable(options.door);
    document.body.dataset.connected = "";
    // What was not shown could not take the focus.
    this.workspace.route();
    if (document.activeElement === document.body) this.workspace.catalogue.focus();
  }

  configure() {
    const { client } = this.workspace;
    if (client === null || this.where === undefined) return;
    const { url, options } = this.where;
    const { name } = client.server.info;
    showConfiguration({ name, url, door: options.door, token: options.token });
  }

  async disconnect() {
    const closed = this.workspace.close();
    this.leave(null);
    await closed;
  }

  /** @param {Error | null} error  why, if it was not by the user's will */
  leave(error) {
    delete document.body.dataset.connected;
    this.form.show(error && this.where ? reasonOf(error, this.where) : null);
    this.form.focus();
  }
}

/**
 * Says why there is no connection, and what can be done about it.
 *
 * @param {unknown} thrown
 * @param {Where} where
 */
function reasonOf(thrown, { url }) {
  const error = asError(thrown);
  const said = sentence(error);
  if (error instanceof HttpError || new URL(url).origin === location.origin) return said;
  return `${said} If it runs, it may not let pages of ${location.origin} in: allow this origin there.`;
}

new Console(document.body);
