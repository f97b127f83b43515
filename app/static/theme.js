"use strict";
// Dark or light, before the first paint. Without JavaScript the page follows the system by app.css.
(() => {
  const MEMORY = "greenroom.theme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const chosen = () => {
    try {
      return localStorage.getItem(MEMORY) ?? "auto";
    } catch {
      return "auto";
    }
  };

  const show = () => {
    const choice = chosen();
    root.dataset.bsTheme = choice === "auto" ? (system.matches ? "dark" : "light") : choice;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
  };

  root.classList.add("has-script");
  show();
  system.addEventListener("change", show);
  window.addEventListener("storage", show);
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-theme-choice]");
    if (!button) return;
    try {
      localStorage.setItem(MEMORY, button.dataset.themeChoice);
    } catch {
      // The choice then holds for nothing: there is nowhere to keep it.
    }
    show();
  });
})();
