// Appearance: theme, variables and rules of Elements' Appearance API, applied by CSSOM.
//
// The frame's CSP allows no inline style; custom properties set through element.style and rules
// inserted into our own sheet are what it allows, and what the API needs.

const VARIABLES = new Set(`
  accessibleColorOnColorBackground accessibleColorOnColorDanger accessibleColorOnColorPrimary
  accordionItemSpacing borderRadius buttonBorderRadius buttonColorBackground buttonColorText
  colorBackground colorDanger colorDangerText colorPrimary colorPrimaryText colorSuccess colorText
  colorTextPlaceholder colorTextSecondary colorWarning focusBoxShadow focusOutline fontFamily
  fontLineHeight fontSize2Xs fontSize3Xs fontSizeBase fontSizeLg fontSizeSm fontSizeXl fontSizeXs
  fontSmooth fontVariantLigatures fontVariationSettings fontWeightBold fontWeightLight
  fontWeightMedium fontWeightNormal gridColumnSpacing gridRowSpacing iconColor iconHoverColor
  spacingUnit tabIconColor tabIconHoverColor tabIconSelectedColor tabSpacing
`.split(/\s+/).filter(Boolean));

// .Input, .Tab--selected, .Input:focus, .Input::placeholder; several separated by commas
const SELECTOR = /^\.[A-Z]\w*(--\w+)?(:{1,2}[a-z-]+)*$/;

let inserted = 0; // rules of ours at the end of the sheet

export function applyAppearance(appearance = {}) {
  const root = document.documentElement;
  root.dataset.theme = appearance.theme ?? "stripe";
  root.dataset.labels = appearance.labels ?? "above";
  root.removeAttribute("style");
  for (const [name, value] of Object.entries(appearance.variables ?? {})) {
    if (VARIABLES.has(name)) root.style.setProperty(`--${name}`, String(value));
    else warn(`variables.${name}`);
  }
  replaceRules(appearance.rules ?? {});
}

function replaceRules(rules) {
  const sheet = document.getElementById("element-style").sheet;
  for (; inserted > 0; inserted -= 1) sheet.deleteRule(sheet.cssRules.length - 1);
  for (const [selector, declarations] of Object.entries(rules)) {
    if (!selector.split(",").every((part) => SELECTOR.test(part.trim()))) {
      warn(`rules["${selector}"]`);
      continue;
    }
    const position = sheet.insertRule(`${selector} {}`, sheet.cssRules.length);
    inserted += 1;
    for (const [property, value] of Object.entries(declarations)) {
      sheet.cssRules[position].style.setProperty(kebab(property), String(value));
    }
  }
}

function kebab(property) {
  return property.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function warn(what) {
  console.warn(`[Stripe.js] elements(): appearance.${what} is not supported.`);
}
