// Adds a copy button to every snippet. Without this file the page is whole:
// a snippet can be focused and selected by hand.
"use strict";

async function copy(code) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(code.textContent);
    return;
  }
  // The clipboard API is missing on plain http beyond this machine.
  getSelection().selectAllChildren(code);
  if (!document.execCommand("copy")) throw new Error("copying is not allowed");
  getSelection().removeAllRanges();
}

for (const snippet of document.querySelectorAll("[data-copy]")) {
  const code = snippet.querySelector("code");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    try {
      await copy(code);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  snippet.append(button);
}
