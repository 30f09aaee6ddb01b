// Light or dark: as the system has it, or as it was chosen here. Not a module, so
// that it runs before anything is painted.
"use strict";

{
  const KEY = "mcp-console-theme";
  /** @type {Record<string, string>} */
  const NEXT = { auto: "dark", dark: "light", light: "auto" };
  const root = document.documentElement;
  let storage;
  try {
    storage = localStorage;
  } catch {
    storage = undefined; // the browser has none for us, so the choice ends with the page
  }
  root.dataset.theme = storage?.getItem(KEY) ?? "auto";

  document.addEventListener("DOMContentLoaded", () => {
    const toggle = document.querySelector("[data-theme-toggle]");
    if (toggle === null) return;
    const tell = () => (toggle.textContent = `Theme: ${root.dataset.theme}`);
    toggle.addEventListener("click", () => {
      root.dataset.theme = NEXT[root.dataset.theme ?? ""] ?? "auto";
      storage?.setItem(KEY, root.dataset.theme);
      tell();
    });
    tell();
  });
}
