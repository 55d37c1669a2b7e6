"""Small pictures, drawn here so that no page asks anybody else for one. Templates write
{{ icons.tick }}; the text beside it says what it means."""

from markupsafe import Markup


def _drawn(shapes: str) -> Markup:
    return Markup(f'<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">{shapes}</svg>')  # noqa: S704


lock = _drawn(
    '<rect x="3" y="7" width="10" height="7" rx="1.5"></rect>'
    '<path d="M5.25 7V5a2.75 2.75 0 0 1 5.5 0v2"></path>'
)
tick = _drawn('<path d="m3 8.5 3.5 3.5L13 5"></path>')
cross = _drawn('<path d="m4 4 8 8M12 4l-8 8"></path>')
clock = _drawn('<circle cx="8" cy="8" r="6"></circle><path d="M8 4.5V8l2.5 1.5"></path>')
