// Runs before the first paint, so that nobody sees the wrong theme flash by.
// Bootstrap and our own tokens follow the attribute; the attribute follows the system.
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const apply = () => root.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  apply();
  dark.addEventListener("change", () => {
    apply();
    root.dispatchEvent(new CustomEvent("themechange"));
  });
  root.classList.add("js");
})();
