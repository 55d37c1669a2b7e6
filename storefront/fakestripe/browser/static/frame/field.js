// Field: one labelled input with its formatting, its check and its inline message.

export class Field {
  // format(text) -> text to show; check(text) -> null or {code, message}
  constructor(id, { format = null, check, next = null }) {
    this.input = document.getElementById(id);
    this.message = document.getElementById(`${id}-error`);
    this.format = format;
    this.check = check;
    this.next = next;
    this.previous = "";
    this.input.addEventListener("input", (event) => this.reformat(event));
    this.input.addEventListener("blur", () => this.leave());
  }

  get value() {
    return this.input.value;
  }

  // A field that is not shown (fields: "never") asks for nothing.
  get shown() {
    return !this.input.closest(".Field").hidden;
  }

  get problem() {
    return this.shown ? this.check(this.value) : null;
  }

  set(text) {
    this.input.value = this.format ? this.format(text) : text;
    this.previous = this.input.value;
    this.show(null);
  }

  reformat(event) {
    const deleting = event.inputType?.startsWith("delete") ?? false;
    if (this.format) this.rewrite(deleting);
    this.previous = this.value;
    const problem = this.problem;
    this.show(problem?.code.startsWith("incomplete") ? null : problem); // let people finish typing
    if (!deleting && !problem) this.advance();
  }

  rewrite(deleting) {
    const { value, selectionStart } = this.input;
    const text = deleting
      ? withoutTail(this.format(shortened(value, this.previous)))
      : this.format(value);
    if (text === value) return;
    this.input.value = text;
    const solids = countSolid(value.slice(0, selectionStart));
    const caret = selectionStart === value.length ? text.length : placeAfter(text, solids);
    this.input.setSelectionRange(caret, caret);
  }

  // Like the real form: a complete value leads on to the next empty field.
  advance() {
    const atEnd = this.input.selectionStart === this.input.value.length;
    if (this.next && !this.next.value && atEnd && document.activeElement === this.input) {
      this.next.input.focus();
    }
  }

  leave() {
    if (this.value) this.show(this.problem);
  }

  show(problem) {
    this.message.textContent = problem?.message ?? "";
    this.input.classList.toggle("Input--invalid", Boolean(problem));
    if (problem) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }
}

// Backspace over a separator takes the character before it too, or the caret would be stuck.
function shortened(value, previous) {
  const onlySeparatorGone = countSolid(value) === countSolid(previous) && previous.startsWith(value);
  return onlySeparatorGone ? withoutTail(value).slice(0, -1) : withoutTail(value);
}

function withoutTail(text) {
  return text.replace(/[\s/]+$/, "");
}

function countSolid(text) {
  return text.replace(/[\s/]/g, "").length;
}

function placeAfter(text, solids) {
  let place = 0;
  for (let seen = 0; place < text.length && seen < solids; place += 1) {
    if (!/[\s/]/.test(text[place])) seen += 1;
  }
  return place;
}
