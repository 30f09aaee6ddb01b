// The console: a form that connects, and the workspace of what it connected to.

import { showConfiguration } from "./configuration.js";
import { ConnectForm } from "./connectform.js";
import { isConfigurable } from "./copy.js";
import { sentence } from "./result.js";
import { Workspace } from "./workspace.js";

class Console {
  constructor(root) {
    this.where = null;
    this.workspace = new Workspace(root, {
      getToken: () => (this.part("with-token").checked ? this.where?.options.token : undefined),
      onlost: (error) => this.leave(error),
    });
    this.form = new ConnectForm(this.part("connect-form"), { onconnect: (where) => this.connect(where) });
    this.part("disconnect").addEventListener("click", () => this.disconnect());
    this.part("configuration").addEventListener("click", () => showConfiguration(this.address()));
    // A page that comes back as it was left comes back without its connection.
    addEventListener("pageshow", (event) => event.persisted && this.disconnect());
  }

  part(name) {
    return this.workspace.part(name);
  }

  /** @param {{url: string, options: import("../client").Options}} where */
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
    if (this.workspace.client) this.welcome(this.workspace.client);
  }

  welcome({ server, revision }) {
    const { name, title, version } = server.info;
    this.part("server").textContent = title ?? name;
    this.part("server-version").textContent = version;
    this.part("revision").textContent = revision;
    this.part("instructions").textContent = server.instructions ?? "";
    this.part("configuration").hidden = !isConfigurable(this.where.options.door);
    document.body.dataset.connected = "";
    // What was not shown could not take the focus.
    this.workspace.route();
    if (document.activeElement === document.body) this.workspace.catalogue.focus();
  }

  address() {
    const { url, options } = this.where;
    const { name } = this.workspace.client.server.info;
    return { name, url, door: options.door, token: options.token };
  }

  async disconnect() {
    const closed = this.workspace.close();
    this.leave(null);
    await closed;
  }

  /** @param {Error | null} error  why, if it was not by the user's will */
  leave(error) {
    delete document.body.dataset.connected;
    this.form.show(error && reasonOf(error, this.where));
    this.form.focus();
  }
}

/** Says why there is no connection, and what can be done about it. */
function reasonOf(error, { url }) {
  const said = sentence(error);
  if (error.status !== undefined || new URL(url).origin === location.origin) return said;
  return `${said} If it runs, it may not let pages of ${location.origin} in: allow this origin there.`;
}

new Console(document.body);
