// Where to connect to, by which door, and as whom. The form itself is in the page.

import { HttpError } from "../client.js";
import { within } from "./dom.js";

const KEPT_TOKEN = "mcp-console-token";

/** The storage of this tab; undefined where the browser has none for us. */
function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

/**
 * @typedef {object} Fields  of the form, by their names
 * @property {HTMLSelectElement} door
 * @property {HTMLSelectElement} revision
 * @property {HTMLInputElement} url
 * @property {RadioNodeList} credential
 * @property {HTMLInputElement} token
 * @property {HTMLInputElement} keep
 * @property {HTMLTextAreaElement} roots
 *
 * @typedef {object} Where
 * @property {string} url
 * @property {import("../client").Options & {door: import("../client").Door, token?: string}} options
 */

export class ConnectForm {
  /**
   * @param {HTMLFormElement} form
   * @param {{onconnect: (where: Where) => void}} options
   */
  constructor(form, { onconnect }) {
    this.form = form;
    this.fields = /** @type {Fields} */ (/** @type {unknown} */ (form.elements));
    this.problem = within(form, "[data-problem]");
    this.submit = /** @type {HTMLButtonElement} */ (within(form, "[type=submit]"));
    const kept = tabStorage()?.getItem(KEPT_TOKEN);
    if (kept) {
      this.fields.token.value = kept;
      this.fields.keep.checked = true;
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { url } = this.fields;
      if (!URL.canParse(url.value)) {
        this.show("The address must be a whole one, such as https://example.com/mcp.");
        url.focus();
        return;
      }
      this.keep();
      onconnect({ url: url.value, options: this.options() });
    });
    this.fields.door.addEventListener("change", () => this.follow());
    for (const choice of form.querySelectorAll("[name=credential]")) {
      choice.addEventListener("change", () => this.identify());
    }
    this.identify();
    this.follow();
    this.wait(false);
  }

  /** The token, if it is by one that the user comes in. */
  get token() {
    return this.isLogin ? undefined : this.fields.token.value.trim() || undefined;
  }

  get isLogin() {
    return this.fields.credential.value === "login";
  }

  /** A login is good for tickets, and a ticket for a WebSocket. */
  identify() {
    const { door } = this.fields;
    for (const option of door.options) option.disabled = this.isLogin && option.value !== "websocket";
    within(this.form, "[data-by-token]").hidden = this.isLogin;
    if (!this.isLogin || door.value === "websocket") return;
    door.value = "websocket";
    this.follow();
  }

  /** The address and the revisions are those of the door. */
  follow() {
    const { door, url, revision } = this.fields;
    const chosen = door.selectedOptions[0];
    url.value = new URL(chosen.dataset.path ?? "", location.href).href;
    const isOld = door.value === "sse";
    for (const option of revision.options) {
      option.hidden = option.disabled = isOld && "stateless" in option.dataset;
    }
    if (revision.selectedOptions[0]?.disabled) revision.value = "auto";
  }

  /** The token outlives the page only where that was ticked, and only in its tab. */
  keep() {
    if (this.fields.keep.checked && this.token) tabStorage()?.setItem(KEPT_TOKEN, this.token);
    else tabStorage()?.removeItem(KEPT_TOKEN);
  }

  /** @returns {Where["options"]} */
  options() {
    const { door, revision, roots } = this.fields;
    const uris = roots.value.split("\n").map((line) => line.trim()).filter(Boolean);
    return {
      door: /** @type {import("../client").Door} */ (door.value),
      revision: revision.value,
      token: this.token,
      ticket: this.isLogin ? () => this.ticket() : undefined,
      roots: uris.length ? uris.map((uri) => ({ uri })) : undefined,
    };
  }

  async ticket() {
    const { tickets = "", csrf = "" } = this.form.dataset;
    const response = await fetch(tickets, {
      method: "POST",
      credentials: "same-origin",
      headers: { "X-CSRFToken": csrf, Accept: "application/json" },
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new HttpError(response.status, answer.detail ?? `No ticket: HTTP ${response.status}`);
    return answer.ticket;
  }

  /** @param {string | null} problem */
  show(problem) {
    this.problem.textContent = problem ?? "";
    this.problem.hidden = problem === null;
  }

  focus() {
    this.submit.focus();
  }

  /** @param {boolean} isBusy */
  wait(isBusy) {
    this.submit.disabled = isBusy;
    this.form.setAttribute("aria-busy", String(isBusy));
  }
}
