// What the tests do in a page: connect, and remember all that is heard.

import * as mcp from "/static/mcp_transport/client.js";

/** The client under test, what it told, and what runs. */
const heard = { states: [], notifications: [], logs: [], wire: [], errors: [] };
const running = new Map();
const controllers = new Map();

addEventListener("error", ({ message }) => heard.errors.push(message));
addEventListener("unhandledrejection", ({ reason }) =>
  heard.errors.push(`unhandled: ${reason}`),
);

/** Say an error so that a test can look at it. */
function told(error) {
  const { name, message, code, status, mayHaveRun, timeoutMs, cause } = error;
  return {
    name,
    message,
    code,
    status,
    mayHaveRun,
    timeoutMs,
    cause: cause && String(cause),
  };
}

/** Give what a promise comes to, be it an error. */
async function outcome(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    return { error: told(error) };
  }
}

async function connect(url, options) {
  const given = { ...options };
  if (given.answer !== undefined) given.onelicit = () => given.answer;
  if (given.line !== undefined) {
    const content = { type: "text", text: given.line };
    given.onsample = () => ({ role: "assistant", model: "none", content });
  }
  if (given.ticketed) given.ticket = () => globalThis.issueTicket();
  window.client = await mcp.Client.connect(url, {
    ...given,
    onstate: (state, { error, ...detail }) =>
      heard.states.push({ state, ...detail, ...(error && { error: told(error) }) }),
    onnotification: (method, params) => heard.notifications.push({ method, params }),
    onlog: (params) => heard.logs.push(params),
    onwire: (direction, message, meta) => heard.wire.push({ direction, message, meta }),
  });
  return {
    revision: client.revision,
    stateful: client.stateful,
    server: client.server,
  };
}

/** Begin a call under a name; `end` gives what became of it. */
function begin(name, tool, args, options = {}) {
  const controller = new AbortController();
  const progress = [];
  controllers.set(name, controller);
  const call = client.callTool(tool, args, {
    ...options,
    signal: controller.signal,
    onprogress: (at) => progress.push(at.progress),
  });
  running.set(name, { progress, done: outcome(call) });
}

const end = async (name) => ({
  ...(await running.get(name).done),
  progress: running.get(name).progress,
});
const abort = (name, reason) => controllers.get(name).abort(reason);
const progressOf = (name) => running.get(name).progress;

Object.assign(window, {
  mcp,
  heard,
  connect,
  outcome,
  begin,
  end,
  abort,
  progressOf,
  ready: true,
});
