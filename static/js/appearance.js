// The Payment Element lives in a frame that our style sheet cannot reach: the tokens are handed
// over, so that it looks like the rest of the page in light and dark.

export function appearance() {
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(name).trim();
  const dark = document.documentElement.getAttribute("data-bs-theme") === "dark";
  return {
    theme: dark ? "night" : "stripe",
    variables: {
      colorPrimary: token("--accent"),
      colorBackground: token("--surface"),
      colorText: token("--ink"),
      colorTextSecondary: token("--ink-soft"),
      colorDanger: token("--danger"),
      fontFamily: token("--font"),
      borderRadius: token("--radius-small"),
      spacingUnit: "4px",
    },
  };
}

export function onThemeChange(listener) {
  document.documentElement.addEventListener("themechange", listener);
}
