/* Asks every few seconds who is connected, while anybody looks. Without it the page
 * shows the same when it is loaded again. */

const EVERY_MS = 5000;

const live = document.getElementById("live");
const stopped = document.getElementById("live-stopped");

/** Put new rows in place of the old, and the focus back to where it was. */
function show(html) {
  const focused = live.contains(document.activeElement)
    ? document.activeElement.dataset.handle
    : undefined;
  live.innerHTML = html;
  if (focused !== undefined) {
    live.querySelector(`[data-handle="${CSS.escape(focused)}"]`)?.focus();
  }
}

/** Raises what fetch raises, and an Error for any reply that is not the rows: who is
 * logged out is sent elsewhere. */
async function ask() {
  const reply = await fetch(live.dataset.url, { redirect: "manual" });
  if (!reply.ok) {
    throw new Error(`status ${reply.status}`);
  }
  return reply.text();
}

async function refresh() {
  if (document.hidden) {
    return;
  }
  try {
    show(await ask());
    stopped.hidden = true;
  } catch {
    stopped.hidden = false;
  }
}

if (live !== null) {
  let timer = setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    clearInterval(timer);
    if (!document.hidden) {
      refresh();
      timer = setInterval(refresh, EVERY_MS);
    }
  });
}
